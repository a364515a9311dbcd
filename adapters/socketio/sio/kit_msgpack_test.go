package sio_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
	"parley/adapters/socketio/sio/msgpack"
	"parley/adapters/socketio/sio/packet"
)

// packed is a client that uses msgpack. Its packets are shown like those of the usual client: their text, followed by
// their attachments in hexadecimal between angle brackets.
type packed struct{ *client }

// openPacked opens a session for a client that uses msgpack.
func (w *world) openPacked() packed { return packed{w.open()} }

// connectPacked opens a session and connects to "/".
func (w *world) connectPacked() packed {
	w.t.Helper()
	p := w.openPacked()
	p.send("40")
	p.connected("")
	return p
}

// send sends one packet.
func (p packed) send(text string, attachments ...[]byte) {
	p.t.Helper()
	p.sendBinary(frameOf(p.t, text, attachments...)...)
}

// frameOf writes a packet, with the engine's "4" before it, as a client with msgpack does.
func frameOf(t testing.TB, text string, attachments ...[]byte) []byte {
	t.Helper()
	var a packet.Assembler
	one, whole, err := a.Text([]byte(strings.TrimPrefix(text, "4")))
	for _, data := range attachments {
		require.NoError(t, err)
		one, whole, err = a.Binary(data)
	}
	require.NoError(t, err)
	require.True(t, whole)
	frame, err := msgpack.Append(nil, one)
	require.NoError(t, err)
	return frame
}

// next returns the next packet.
func (p packed) next() string {
	p.t.Helper()
	return unpacked(p.t, p.client.next())
}

func unpacked(t testing.TB, m string) string {
	t.Helper()
	require.Regexp(t, "^<.+>$", m, "not a binary message")
	frame, err := hex.DecodeString(m[1 : len(m)-1])
	require.NoError(t, err)
	one, err := msgpack.Decode(frame)
	require.NoError(t, err)
	text := "4" + string(packet.Append(nil, one))
	for _, data := range one.Buffers {
		text += fmt.Sprintf("<%x>", data)
	}
	return text
}

func (p packed) expect(packets ...string) {
	p.t.Helper()
	for _, want := range packets {
		require.Equal(p.t, want, p.next())
	}
}

// connected reads the answer to CONNECT.
func (p packed) connected(prefix string) {
	p.t.Helper()
	require.Regexp(p.t, `^40`+prefix+`\{"sid":"[A-Za-z0-9_-]{20}"\}$`, p.next())
}

// accepted reads the answer to CONNECT of a server with recovery.
func (p packed) accepted() identity {
	p.t.Helper()
	m := p.next()
	found := accepted.FindStringSubmatch(m)
	require.NotNil(p.t, found, "not an answer to CONNECT with a pid: %s", m)
	return identity{sid: found[2], pid: found[3]}
}

// event reads an event, which must be the given one apart from the offset at its end, and returns the offset.
func (p packed) event(want string) (offset string) {
	p.t.Helper()
	m := p.next()
	found := offsets.FindStringSubmatch(m)
	require.NotNil(p.t, found, "not an event with an offset: %s", m)
	require.Equal(p.t, want, found[1]+"]")
	return found[2]
}

// withMsgpack lets clients use msgpack.
func withMsgpack(c sio.Config) sio.Config {
	c.Msgpack = true
	return c
}
