package engineio_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
)

func TestRetain_resume(t *testing.T) {
	// In each case the old session has been sent the events a1, a2 and a3 on the channel "a", and has ended.
	cases := []struct {
		name string
		// during is called before the session ends.
		during  func(ws *wsClient)
		channel string
		offset  string
		want    []string
	}{
		{"the last offset misses nothing", nil, "a", "a3", []string{}},
		{"an offset in the middle misses what comes after it", nil, "a", "a1", []string{"a2", "a3"}},
		{"a client without an offset has got nothing", nil, "a", "", []string{"a1", "a2", "a3"}},
		{"a client with an offset of another life has got nothing", nil, "a", "z9", []string{"a1", "a2", "a3"}},
		{"a channel that nothing was sent on misses nothing", nil, "b", "a1", []string{}},
		{"the last offset proved misses nothing", func(ws *wsClient) { ws.prove(3) }, "a", "a3", []string{}},
		{"an offset before the last one proved cannot be resumed", func(ws *wsClient) { ws.prove(3) }, "a", "a2", nil},
		{"a client without an offset cannot resume after it has proved something", func(ws *wsClient) { ws.prove(3) }, "a", "", nil},
		{"a client with an offset of another life cannot resume after it has proved something", func(ws *wsClient) { ws.prove(3) }, "a", "z9", nil},
		{"a proof on one channel says nothing of another", func(ws *wsClient) { ws.prove(3) }, "b", "", []string{}},
		{
			"what was sent after the proof is there",
			func(ws *wsClient) { ws.prove(3); ws.peer.session.Send(events("a4", "a5")...) },
			"a", "a3",
			[]string{"a4", "a5"},
		},
		{
			"an unanswered ping proves nothing",
			func(ws *wsClient) { ws.readText(4); ws.peer.session.Send(events("a4")...) },
			"a", "a2",
			[]string{"a3", "a4"},
		},
		{
			"a proof of long ago is as good after many pings",
			func(ws *wsClient) {
				ws.prove(3)
				for range 100 {
					ws.prove(0)
				}
				ws.peer.session.Send(events("a4")...)
			},
			"a", "a3",
			[]string{"a4"},
		},
		{
			"packets of another channel and unmarked ones are left out",
			func(ws *wsClient) {
				ws.peer.session.Send(event("b", "b1"), textPacket("unmarked"), event("a", "a4"), event("b", "b2"))
			},
			"a", "a2",
			[]string{"a3", "a4"},
		},
		{
			"volatile packets are not sent again",
			func(ws *wsClient) {
				ws.peer.session.Send(event("a", "v1").Volatile())
				ws.peer.session.Send(event("a", "a4"))
				ws.peer.session.Send(event("a", "v2").Volatile())
			},
			"a", "a3",
			[]string{"a4"},
		},
		{
			"the offset of a volatile packet counts",
			func(ws *wsClient) {
				ws.peer.session.Send(event("a", "v1").Volatile())
				ws.peer.session.Send(event("a", "a4"))
			},
			"a", "v1",
			[]string{"a4"},
		},
		{
			"the offset of a volatile packet counts as proved",
			func(ws *wsClient) { ws.peer.session.Send(event("a", "v1").Volatile()); ws.prove(4) },
			"a", "v1",
			[]string{},
		},
		{
			"a packet without an offset belongs to the one before it",
			func(ws *wsClient) {
				ws.peer.session.Send(event("a", "a4"), binaryPacket(4).Retain("a", ""))
				ws.peer.session.Send(event("a", "v1").Volatile(), binaryPacket(9).Retain("a", "").Volatile())
				ws.peer.session.Send(event("a", "a5"), binaryPacket(5).Retain("a", ""))
			},
			"a", "a4",
			[]string{"a5", "\x05"},
		},
		{
			"a packet without an offset is left out with a volatile one before it",
			func(ws *wsClient) {
				ws.peer.session.Send(event("a", "v1").Volatile(), binaryPacket(9).Retain("a", "").Volatile())
				ws.peer.session.Send(event("a", "a5"), binaryPacket(5).Retain("a", ""))
			},
			"a", "a3",
			[]string{"a5", "\x05"},
		},
		{"a channel that was forgotten begins anew", func(ws *wsClient) {
			ws.prove(3)
			ws.peer.session.Send(event("a", "a4"), event("b", "b1"))
			ws.peer.session.Forget("a")
			ws.peer.session.Send(event("a", "a5"))
		}, "a", "a2", []string{"a5"}},
		{"forgetting one channel leaves the others as they are", func(ws *wsClient) {
			ws.peer.session.Send(event("b", "b1"), event("a", "a4"), event("b", "b2"))
			ws.peer.session.Forget("a")
		}, "b", "b1", []string{"b2"}},
	}
	for _, tc := range cases {
		bubble(t, tc.name, func(t *testing.T) {
			k := inMemory(t, retaining)
			ws := k.openWebSocket()
			ws.peer.session.Send(events("a1", "a2", "a3")...)
			if tc.during != nil {
				tc.during(ws)
			}
			ws.drop()
			assert.Equal(t, tc.want, k.resumed(ws.peer, tc.channel, tc.offset))
		})
	}
}

func TestRetain_polling(t *testing.T) {
	bubble(t, "what a poll has taken is remembered until the pong", func(t *testing.T) {
		k := inMemory(t, retaining)
		c := k.handshake()
		c.peer.session.Send(events("a1", "a2")...)
		assert.Equal(t, "4a1\x1e4a2", c.poll())
		assert.Equal(t, "2", c.poll())
		c.post("3")
		c.peer.session.Send(events("a3")...)
		assert.Equal(t, "4a3", c.poll())
		c.peer.session.Send(events("a4")...)
		assert.Equal(t, "4a4", c.poll()) // suppose that the client does not get it
		p := c.beginPoll()
		require.True(t, p.waiting())
		p.abort()
		synctest.Wait()
		require.Equal(t, only(engineio.ReasonTransportError), c.peer.ended())
		assert.Equal(t, []string{"a3", "a4"}, k.resumed(c.peer, "a", "a2"))
	})

	bubble(t, "an upgrade does not change what is remembered", func(t *testing.T) {
		k := inMemory(t, retaining)
		c := k.handshake()
		c.peer.session.Send(events("a1")...)
		assert.Equal(t, "4a1", c.poll())
		ws := c.probe()
		c.peer.session.Send(events("a2")...)
		assert.Equal(t, "4a2", c.poll())
		ws.sendText("5")
		c.peer.session.Send(events("a3")...)
		assert.Equal(t, text("4a3"), ws.read())
		ws.drop()
		assert.Equal(t, []string{"a2", "a3"}, k.resumed(c.peer, "a", "a1"))
	})

	bubble(t, "a client that polls carries on like any other", func(t *testing.T) {
		k := inMemory(t, retaining)
		ws := k.openWebSocket()
		ws.peer.session.Send(events("a1", "a2")...)
		ws.drop()
		c := k.handshake()
		p := c.beginPoll()
		require.True(t, p.waiting())
		require.True(t, ws.peer.session.Resume(c.peer.session, "a", "a1", textPacket("first")))
		assert.Equal(t, "4first\x1e4a2", p.wait().body)
		ws.peer.session.Send(events("a3")...)
		assert.Equal(t, "4a3", c.poll())
	})
}

func TestRetain_forget(t *testing.T) {
	bubble(t, "after Forget a ping still proves what was before it, and no more", func(t *testing.T) {
		k := inMemory(t, retaining)
		ws := k.openWebSocket()
		ws.peer.session.Send(event("a", "a1"), event("b", "b1"))
		ws.readText(2)
		require.Equal(t, text("2"), ws.read())
		ws.peer.session.Send(event("b", "b2"), event("a", "a2"))
		ws.peer.session.Forget("b")
		ws.sendText("3")
		synctest.Wait()
		ws.drop()
		assert.False(t, ws.peer.session.CanResume("a", ""), "a1 is proved")
		assert.Equal(t, []string{"a2"}, k.resumed(ws.peer, "a", "a1"))
	})
}
