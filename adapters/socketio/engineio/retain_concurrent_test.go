package engineio_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
)

// TestRetain_concurrent lets a client lose its connection again and again while several goroutines multicast to it and
// to another: both get everything once and in order, whichever of its sessions the senders know.
func TestRetain_concurrent(t *testing.T) {
	const senders, each, lives = 4, 1500, 25
	k := onLoopback(t, engineio.Config{Retain: 1 << 20, OutboxBytes: 1 << 30})
	stays := &follower{t: t, ws: k.openWebSocket()}
	drops := &follower{t: t, ws: k.openWebSocket()}
	var current atomic.Pointer[engineio.Session]
	current.Store(drops.ws.peer.session)

	var order sync.Mutex // like a conversation's lock: whoever holds it takes the next number and sends it
	number := 0
	var sending sync.WaitGroup
	for range senders {
		sending.Go(func() {
			for i := range each {
				order.Lock()
				number++
				to := []*engineio.Session{stays.ws.peer.session, current.Load()}
				engineio.Multicast(slices.Values(to), event("a", fmt.Sprint("a", number)))
				order.Unlock()
				if i%20 == 0 {
					time.Sleep(time.Millisecond) // waits for nothing: it spreads the load over the lives
				}
			}
		})
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range lives {
		for range random.IntN(300) {
			drops.hear()
			if drops.last == senders*each {
				break
			}
		}
		drops.comeBack(k)
		current.Store(drops.ws.peer.session)
		require.Equal(t, text("4a0"), drops.ws.read())
	}
	drops.hearUpTo(senders * each)
	sending.Wait()
	stays.hearUpTo(senders * each)
	assert.Empty(t, stays.ws.peer.ended())
}

// follower is a client that is sent numbers and must get each once and in order.
type follower struct {
	t    *testing.T
	ws   *wsClient
	last int
}

// hear reads one frame: the next number, or a ping, which it answers.
func (f *follower) hear() {
	got := f.ws.read()
	if got == text("2") {
		f.ws.sendText("3")
		return
	}
	var n int
	_, err := fmt.Sscanf(got.data, "4a%d", &n)
	require.NoError(f.t, err, "%+v", got)
	require.Equal(f.t, f.last+1, n, "a gap or a repeat")
	f.last = n
}

func (f *follower) hearUpTo(n int) {
	for f.last < n {
		f.hear()
	}
}

// comeBack drops the connection and lets a new session carry on. Number 0 marks where it begins.
func (f *follower) comeBack(k *kit) {
	_ = f.ws.conn.Close()
	old, next := f.ws.peer, k.openWebSocket()
	for offset := fmt.Sprint("a", f.last); ; {
		ended := old.ended() // it may end at any moment, also right after a Resume that came too early
		if old.session.Resume(next.peer.session, "a", offset, textPacket("a0")) {
			break
		}
		require.Empty(f.t, ended, "it is over and cannot be resumed at %s", offset)
		old.session.Close() // like a server that knows its client to be back
	}
	f.ws = next
}
