package engineio_test

import (
	"fmt"
	"strings"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
)

// retaining remembers more than most tests send.
var retaining = engineio.Config{Retain: 100}

// event is a text packet to retain; its text is its offset.
func event(channel, offset string) *engineio.Packet {
	return textPacket(offset).Retain(channel, offset)
}

// events are packets of the channel "a" with these offsets.
func events(offsets ...string) []*engineio.Packet {
	packets := make([]*engineio.Packet, len(offsets))
	for i, o := range offsets {
		packets[i] = event("a", o)
	}
	return packets
}

// prove pings the client, which answers; n messages are to be read before.
func (ws *wsClient) prove(n int) {
	ws.t.Helper()
	ws.readText(n)
	require.Equal(ws.t, text("2"), ws.read())
	ws.sendText("3")
	synctest.Wait()
}

// drop takes the connection away and waits until the session is over.
func (ws *wsClient) drop() {
	ws.close()
	synctest.Wait()
}

// resumed lets a new client carry on and returns what it gets, in short form; nil if it may not. A packet
// that is sent to the old session after it stands behind all.
func (k *kit) resumed(old *peer, channel, offset string) []string {
	k.t.Helper()
	ws := k.openWebSocket()
	defer ws.drop()
	could := old.session.CanResume(channel, offset)
	ok := old.session.Resume(ws.peer.session, channel, offset, textPacket("first"))
	assert.Equal(k.t, could, ok, "CanResume")
	if !ok {
		ws.peer.send("nothing")
		require.Equal(k.t, text("4nothing"), ws.read())
		return nil
	}
	old.session.Send(event(channel, "last"))
	require.Equal(k.t, text("4first"), ws.read())
	got := []string{}
	for {
		f := ws.read()
		require.False(k.t, f.closed)
		if f == text("4last") {
			return got
		}
		if f != text("2") { // a ping
			got = append(got, strings.TrimPrefix(f.data, "4"))
		}
	}
}

// numbered returns the offsets from..to, and sends their events.
func (p *peer) numbered(from, to int) []string {
	var offsets []string
	for i := from; i <= to; i++ {
		offsets = append(offsets, fmt.Sprint("a", i))
		p.session.Send(event("a", offsets[len(offsets)-1]))
	}
	return offsets
}
