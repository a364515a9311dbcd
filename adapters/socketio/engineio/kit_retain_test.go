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

// event returns a text packet to retain, whose text is its offset.
func event(channel, offset string) *engineio.Packet {
	return textPacket(offset).Retain(channel, offset)
}

// events returns packets with these offsets on the channel "a".
func events(offsets ...string) []*engineio.Packet {
	packets := make([]*engineio.Packet, len(offsets))
	for i, o := range offsets {
		packets[i] = event("a", o)
	}
	return packets
}

// prove reads n messages and then a ping, and answers it.
func (ws *wsClient) prove(n int) {
	ws.t.Helper()
	ws.readText(n)
	require.Equal(ws.t, text("2"), ws.read())
	ws.sendText("3")
	synctest.Wait()
}

// drop closes the connection and waits until the session is over.
func (ws *wsClient) drop() {
	ws.close()
	synctest.Wait()
}

// resumed lets a new client carry on and returns the texts that it gets, nil if it cannot. A packet then sent to the
// old session must come after all of them.
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

// numbered sends events with the offsets from..to, and returns those.
func (p *peer) numbered(from, to int) []string {
	var offsets []string
	for i := from; i <= to; i++ {
		offsets = append(offsets, fmt.Sprint("a", i))
		p.session.Send(event("a", offsets[len(offsets)-1]))
	}
	return offsets
}
