package e2e_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// raw is a client that says exactly what it is told, over a WebSocket. It belongs to one goroutine.
type raw struct {
	conn *websocket.Conn
	// acks counts the events sent so far that ask for an ack; the count is the id of the latest.
	acks int
}

// open opens an Engine.IO connection and does not CONNECT.
func (s *server) open(t *testing.T) *raw {
	t.Helper()
	r, err := dial(s.app.URL(), &net.Dialer{Timeout: patience})
	require.NoError(t, err)
	t.Cleanup(r.close)
	return r
}

// connect opens a connection signed in as the user, and joins the conversations.
func (s *server) connect(t *testing.T, user string, conversations ...string) *raw {
	t.Helper()
	r := s.open(t)
	require.NoError(t, r.enter(tokenFor(t, user)))
	for _, conversation := range conversations {
		ack, err := r.ask("join_conversation", conversation)
		require.NoError(t, err)
		require.True(t, ack.OK, "%s may join: %+v", user, ack)
	}
	return r
}

// witness connects a well-behaved client. The function it returns asserts that this client is still served: it sends a
// message to the lobby and waits until it hears it.
func (s *server) witness(t *testing.T) (undisturbed func(*testing.T)) {
	t.Helper()
	r := s.connect(t, "witness", "lobby")
	said := 0
	return func(t *testing.T) {
		t.Helper()
		said++
		content := `"content":"undisturbed ` + strconv.Itoa(said) + `"`
		require.NoError(t, r.write(`42["message",{"conversationId":"lobby",`+content+`}]`))
		for {
			message, err := r.readUntil(`42["message",`)
			require.NoError(t, err)
			if strings.Contains(message, content) {
				return
			}
		}
	}
}

func dial(address string, dialer *net.Dialer) (*raw, error) {
	d := websocket.Dialer{NetDialContext: dialer.DialContext, HandshakeTimeout: patience, ReadBufferSize: 4 << 10, WriteBufferSize: 256}
	conn, response, err := d.Dial("ws"+strings.TrimPrefix(address, "http")+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		return nil, err
	}
	_ = response.Body.Close() // it has none
	r := &raw{conn: conn}
	if packet, err := r.read(); err != nil || !strings.HasPrefix(packet, "0{") {
		conn.Close()
		return nil, fmt.Errorf("no handshake but %q, %w", packet, err)
	}
	return r, nil
}

// enter connects to the main namespace.
func (r *raw) enter(token string) error {
	if err := r.write(`40{"token":"` + token + `"}`); err != nil {
		return err
	}
	packet, err := r.read()
	if err == nil && !strings.HasPrefix(packet, `40{"sid":"`) {
		err = fmt.Errorf("CONNECT was answered by %q", packet)
	}
	return err
}

// write sends the packet in one text frame.
func (r *raw) write(packet string) error { return r.writeBytes(frame(0x81, packet)) }

// writeBytes sends bytes as they are.
func (r *raw) writeBytes(bytes []byte) error {
	if err := r.conn.NetConn().SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := r.conn.NetConn().Write(bytes)
	return err
}

// frame is a client's frame whose first byte (FIN, RSV, opcode) is given. Its masking key is zero, so the payload is
// sent as it is.
func frame(first byte, payload string) []byte {
	head := []byte{first}
	switch n := len(payload); {
	case n <= 125:
		head = append(head, 0x80|byte(n))
	case n <= 0xffff:
		head = binary.BigEndian.AppendUint16(append(head, 0x80|126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 0x80|127), uint64(n))
	}
	return append(append(head, 0, 0, 0, 0), payload...)
}

// read returns the next Engine.IO packet that is not a ping; it answers pings.
func (r *raw) read() (string, error) {
	for {
		if err := r.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return "", err
		}
		_, packet, err := r.conn.ReadMessage()
		if err != nil {
			return "", err
		}
		if string(packet) != "2" {
			return string(packet), nil
		}
		if err := r.write("3"); err != nil {
			return "", err
		}
	}
}

// readUntil discards packets until one has the prefix, and returns what follows the prefix.
func (r *raw) readUntil(prefix string) (string, error) {
	for {
		packet, err := r.read()
		if err != nil {
			return "", fmt.Errorf("waiting for %s: %w", prefix, err)
		}
		if rest, ok := strings.CutPrefix(packet, prefix); ok {
			return rest, nil
		}
	}
}

// ack is what the tests look at in an answer.
type ack struct {
	OK      bool   `json:"ok"`
	Epoch   string `json:"epoch"`
	Members []struct {
		UserID string `json:"userId"`
	} `json:"members"`
	Error struct {
		Code string `json:"code"`
	} `json:"error"`
}

// ask emits an event and returns the answer. It discards whatever else comes meanwhile.
func (r *raw) ask(event string, payload any) (ack, error) {
	args, err := json.Marshal([]any{event, payload})
	if err != nil {
		return ack{}, err
	}
	r.acks++
	id := strconv.Itoa(r.acks)
	if err := r.write("42" + id + string(args)); err != nil {
		return ack{}, err
	}
	answer, err := r.readUntil("43" + id + "[")
	if err != nil {
		return ack{}, err
	}
	var a ack
	return a, json.Unmarshal([]byte(strings.TrimSuffix(answer, "]")), &a)
}

// say sends a message and returns its ack.
func (r *raw) say(conversation, content string) (ack, error) {
	return r.ask("message", map[string]string{"conversationId": conversation, "content": content})
}

// ended reads until the server has ended the connection, and returns the code of its Close frame: CloseNoStatusReceived
// if the frame has none, CloseAbnormalClosure if there was no Close frame. An error means that the connection did not
// end within patience.
func (r *raw) ended() (code int, err error) {
	for {
		_, err := r.read()
		if err == nil {
			continue
		}
		if closed, ok := errors.AsType[*websocket.CloseError](err); ok {
			return closed.Code, nil
		}
		if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
			return 0, err
		}
		return websocket.CloseAbnormalClosure, nil
	}
}

func (r *raw) close() { _ = r.conn.Close() } // the server may have closed it
