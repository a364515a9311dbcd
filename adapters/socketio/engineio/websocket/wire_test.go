package websocket_test

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"parley/adapters/socketio/engineio/websocket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mask is the masking key of RFC 6455 §5.7.
var mask = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// clientFrame builds a masked frame. first is its first byte: FIN, RSV and opcode.
func clientFrame(first byte, payload string) []byte {
	out := []byte{first}
	switch n := len(payload); {
	case n <= 125:
		out = append(out, 0x80|byte(n))
	case n <= 0xFFFF:
		out = binary.BigEndian.AppendUint16(append(out, 0x80|126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, 0x80|127), uint64(n))
	}
	out = append(out, mask[:]...)
	for i := range len(payload) {
		out = append(out, payload[i]^mask[i%4])
	}
	return out
}

func text(payload string) []byte { return clientFrame(0x81, payload) }

func join(frames ...[]byte) []byte {
	var out []byte
	for _, f := range frames {
		out = append(out, f...)
	}
	return out
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// transcript is a Handler that records its calls.
type transcript struct {
	events []string
	// failOn is the event to which the handler responds with errHandler.
	failOn string
}

var errHandler = errors.New("handler says stop")

func (tr *transcript) note(kind string, data []byte) error {
	event := kind + " " + string(data)
	tr.events = append(tr.events, event)
	if tr.failOn != "" && event == tr.failOn {
		return errHandler
	}
	return nil
}

func (tr *transcript) Message(op websocket.Opcode, data []byte) error {
	return tr.note(map[websocket.Opcode]string{websocket.OpText: "text", websocket.OpBinary: "binary"}[op], data)
}

func (tr *transcript) Control(op websocket.Opcode, data []byte) error {
	names := map[websocket.Opcode]string{websocket.OpPing: "ping", websocket.OpPong: "pong", websocket.OpClose: "close"}
	return tr.note(names[op], data)
}

// feed decodes a copy of wire in pieces of the given size, 0 for all at once. It stops at the first error, as a caller
// would.
func feed(d *websocket.Decoder, wire []byte, piece int) ([]string, error) {
	tr := &transcript{}
	err := feedTo(tr, d, wire, piece)
	return tr.events, err
}

func feedTo(tr *transcript, d *websocket.Decoder, wire []byte, piece int) error {
	wire = append([]byte(nil), wire...)
	if piece == 0 {
		piece = max(len(wire), 1)
	}
	for len(wire) > 0 {
		n := min(piece, len(wire))
		if err := d.Feed(wire[:n], tr); err != nil {
			return err
		}
		wire = wire[n:]
	}
	return nil
}

func closeCode(err error) string {
	var violation *websocket.CloseError
	if errors.As(err, &violation) {
		return fmt.Sprint(violation.Code)
	}
	return fmt.Sprint(err)
}
