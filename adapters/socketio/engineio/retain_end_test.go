package engineio_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
)

func TestRetain_after_the_end(t *testing.T) {
	bubble(t, "what is sent meanwhile comes after what was missed, except volatile packets", func(t *testing.T) {
		k := inMemory(t, retaining)
		ws := k.openWebSocket()
		ws.peer.session.Send(events("a1", "a2")...)
		ws.drop()
		ws.peer.session.Send(event("a", "a3"))
		ws.peer.session.Send(event("a", "v1").Volatile())
		ws.peer.session.Send(textPacket("unmarked"))
		ws.peer.session.Send(event("a", "a4"), binaryPacket(4).Retain("a", ""))
		assert.Equal(t, []string{"a2", "a3", "a4", "\x04"}, k.resumed(ws.peer, "a", "a1"))
	})

	bubble(t, "an open session cannot be resumed, nor one that another carries on", func(t *testing.T) {
		k := inMemory(t, retaining)
		ws, other := k.openWebSocket(), k.openWebSocket()
		ws.peer.session.Send(events("a1")...)
		assert.False(t, ws.peer.session.Resume(other.peer.session, "a", ""))
		assert.False(t, ws.peer.session.Resume(ws.peer.session, "a", ""))
		ws.drop()
		assert.False(t, ws.peer.session.Resume(ws.peer.session, "a", ""))
		assert.True(t, ws.peer.session.Resume(other.peer.session, "a", ""))
		assert.Equal(t, text("4a1"), other.read())
		assert.False(t, ws.peer.session.CanResume("a", ""))
		assert.Nil(t, k.resumed(ws.peer, "a", ""))
		ws.peer.session.Send(events("a2")...)
		assert.Equal(t, text("4a2"), other.read(), "it still goes to the first")
		assert.Equal(t, []string{}, k.resumed(ws.peer, "b", ""), "its other channels are free")
	})

	bubble(t, "without Config.Retain nothing is remembered", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		ws := k.openWebSocket()
		ws.peer.session.Send(events("a1")...)
		assert.Equal(t, text("4a1"), ws.read())
		ws.drop()
		ws.peer.session.Send(events("a2")...)
		assert.Nil(t, k.resumed(ws.peer, "a", ""))
		assert.Nil(t, k.resumed(ws.peer, "a", "a1"))
	})

	bubble(t, "a session that was never used hands nothing over", func(t *testing.T) {
		k := inMemory(t, retaining)
		ws := k.openWebSocket()
		ws.drop()
		assert.Equal(t, []string{}, k.resumed(ws.peer, "a", ""))
	})

	bubble(t, "the session that carries on may itself be over already", func(t *testing.T) {
		k := inMemory(t, retaining)
		first, second := k.openWebSocket(), k.openWebSocket()
		first.peer.session.Send(events("a1", "a2")...)
		first.drop()
		second.drop()
		assert.True(t, first.peer.session.Resume(second.peer.session, "a", "a1"))
		first.peer.session.Send(events("a3")...)
		assert.Equal(t, []string{"a2", "a3"}, k.resumed(second.peer, "a", "a1"))
		third := k.openWebSocket()
		assert.False(t, second.peer.session.Resume(third.peer.session, "a", ""))
	})

	bubble(t, "sessions may carry on one after another, and every one forwards", func(t *testing.T) {
		k := inMemory(t, retaining)
		chain := []*wsClient{k.openWebSocket()}
		chain[0].peer.session.Send(events("a0")...)
		for i := range 10 {
			last := chain[len(chain)-1]
			last.drop()
			next := k.openWebSocket()
			require.True(t, last.peer.session.Resume(next.peer.session, "a", fmt.Sprint("a", i)))
			chain[0].peer.session.Send(events(fmt.Sprint("a", i+1))...)
			chain = append(chain, next)
		}
		last := chain[10]
		assert.Equal(t, text("4a10"), last.read())
		for i, ws := range chain {
			ws.peer.session.Send(events(fmt.Sprint("b", i))...)
			assert.Equal(t, text(fmt.Sprint("4b", i)), last.read())
		}
	})

	bubble(t, "what the session that carries on had on the channel before does not matter", func(t *testing.T) {
		k := inMemory(t, retaining)
		old, next := k.openWebSocket(), k.openWebSocket()
		old.peer.session.Send(events("a1", "a2")...)
		old.drop()
		next.peer.session.Send(events("x1")...)
		next.prove(1)
		next.peer.session.Send(events("x2")...)
		require.True(t, old.peer.session.Resume(next.peer.session, "a", "a1"))
		next.drop()
		assert.Equal(t, []string{"a2"}, k.resumed(next.peer, "a", "a1"))
	})
}
