package msgpack_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio/msgpack"
	"parley/adapters/socketio/sio/packet"
)

// bin is binary data that golden.json has in hexadecimal.
type bin []byte

func (b *bin) UnmarshalText(text []byte) (err error) {
	*b, err = hex.AppendDecode([]byte{}, text)
	return err
}

// sample is a packet in a frame and as the text parser would send it. If Error is
// set, that is why the reference refuses the frame.
type sample struct {
	Name        string
	Same        bool
	Frame       bin
	Text        string
	Attachments []bin
	Error       string
}

// packet reads the text and its attachments.
func (s *sample) packet(t *testing.T) packet.Packet {
	t.Helper()
	var a packet.Assembler
	p, whole, err := a.Text([]byte(s.Text))
	require.NoError(t, err)
	for _, attachment := range s.Attachments {
		p, whole, err = a.Binary(attachment)
		require.NoError(t, err)
	}
	require.True(t, whole)
	return p
}

type golden struct{ Packets, Frames []sample }

// readGolden reads what the JavaScript packages say. testdata/make.cjs made it.
func readGolden(tb testing.TB) golden {
	tb.Helper()
	raw, err := os.ReadFile("testdata/golden.json")
	require.NoError(tb, err)
	var g golden
	require.NoError(tb, json.Unmarshal(raw, &g))
	require.NotEmpty(tb, g.Packets)
	require.NotEmpty(tb, g.Frames)
	return g
}

// requireSame compares packets. How the JSON of their data is written does not
// matter, the order of keys does.
func requireSame(t *testing.T, want, got packet.Packet) {
	t.Helper()
	require.Equal(t, tokens(t, want.Data), tokens(t, got.Data))
	want.Data, got.Data = nil, nil
	require.Equal(t, want, got)
}

func tokens(t *testing.T, data []byte) []json.Token {
	t.Helper()
	var all []json.Token
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, token)
	}
}

func TestGolden_Packets(t *testing.T) {
	for _, s := range readGolden(t).Packets {
		t.Run(s.Name, func(t *testing.T) {
			want := s.packet(t)
			got, err := msgpack.Decode(s.Frame)
			require.NoError(t, err)
			requireSame(t, want, got)

			frame, err := msgpack.Append(nil, want)
			require.NoError(t, err)
			again, err := msgpack.Decode(frame)
			require.NoError(t, err)
			requireSame(t, want, again)
			if s.Same {
				assert.Equal(t, []byte(s.Frame), frame, "as the reference writes it")
			}
		})
	}
}

// differently lists the frames that Decode does not take as the reference does:
// the error with which it refuses them, or the text that it makes of them.
var differently = map[string]any{
	// JavaScript rounds them.
	"integers as Append writes them beyond 2^53": `2["a",[9007199254740993,9223372036854776000,-9007199254740993]]`,
	"uint 64 beyond 2^53":                        `2["a",[9007199254740993,9223372036854775809,18446744073709551615]]`,
	"int 64 beyond 2^53":                         `2["a",[-9007199254740993,-9223372036854775808]]`,
	// notepack 2.2 does not know the timestamps of the specification.
	"a timestamp of the specification, 32 bits": `2["a","2023-11-14T22:13:20.000Z"]`,
	// No JavaScript object has such keys; it would make strings of them.
	"a key that is null":     msgpack.ErrMalformed,
	"a key that is a float":  msgpack.ErrMalformed,
	"a key that is an array": msgpack.ErrMalformed,
	// The second value counts for whoever reads the JSON.
	"the same key twice": `2["a",{"a":1,"a":2}]`,
	// In JavaScript, this sets the prototype and not a member.
	"__proto__ as a key": `2["a",{"__proto__":1}]`,
	// The reference finds out later that it has no such namespace.
	"namespace empty":           msgpack.ErrInvalidNamespace,
	"namespace without a slash": msgpack.ErrInvalidNamespace,
	"namespace with a comma":    msgpack.ErrInvalidNamespace,
	// An ack id is a uint64.
	"id negative": packet.ErrIllegalID,
	// What the text parser refuses, but socket.io-msgpack-parser does not.
	"event without a name":       packet.ErrInvalidPayload,
	"event named null":           packet.ErrInvalidPayload,
	"event named undefined":      packet.ErrInvalidPayload,
	"event named NaN":            packet.ErrInvalidPayload,
	"event named true":           packet.ErrInvalidPayload,
	"event named by an array":    packet.ErrInvalidPayload,
	"event named by a map":       packet.ErrInvalidPayload,
	"event named by binary":      packet.ErrInvalidPayload,
	"event with a reserved name": packet.ErrInvalidPayload,
}

func TestGolden_Frames(t *testing.T) {
	seen := 0
	for _, s := range readGolden(t).Frames {
		t.Run(s.Name, func(t *testing.T) {
			got, err := msgpack.Decode(s.Frame)
			difference, differs := differently[s.Name]
			if differs {
				seen++
				require.Empty(t, s.Error, "the reference accepts it")
			}
			refusal, refused := difference.(error)
			switch {
			case refused:
				require.ErrorIs(t, err, refusal)
				return
			case differs:
				s.Text = difference.(string)
				s.Attachments = nil
			case s.Error != "":
				require.Error(t, err, "the reference: %s", s.Error)
				require.Equal(t, packet.Packet{}, got)
				return
			}
			require.NoError(t, err)
			if s.Name == "connect with binary inside" {
				// In text, no CONNECT has attachments.
				require.Equal(t, [][]byte{[]byte("b")}, got.Buffers)
				require.JSONEq(t, `{"a":{"_placeholder":true,"num":0}}`, string(got.Data))
				return
			}
			requireSame(t, s.packet(t), got)
		})
	}
	assert.Len(t, differently, seen, "each difference is one")
}
