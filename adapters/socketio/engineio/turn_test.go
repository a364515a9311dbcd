package engineio_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
)

func TestDo(t *testing.T) {
	bubble(t, "functions are called in order, one at a time, and not during Receive", func(t *testing.T) {
		var order []int
		var busy atomic.Bool
		enter := func(i int) {
			assert.False(t, busy.Swap(true))
			runtime.Gosched()
			order = append(order, i)
			busy.Store(false)
		}
		k := inMemory(t, engineio.Config{}, func(p *peer) {
			p.onReceive = func([]byte, bool) {
				p.session.Do(func() { enter(0) })
				p.session.Do(func() {
					enter(1)
					p.session.Do(func() { enter(1000) })
				})
				for i := range 998 {
					p.session.Do(func() { enter(i + 2) })
				}
				enter(-1)
			}
		})
		k.openWebSocket().sendText("4go")
		synctest.Wait()
		want := make([]int, 0, 1002)
		for i := range 1002 {
			want = append(want, i-1)
		}
		assert.Equal(t, want, order)
	})

	bubble(t, "Closed comes after the call in progress, and no call comes after Closed", func(t *testing.T) {
		var order []string
		k := inMemory(t, engineio.Config{}, func(p *peer) {
			p.onClosed = func() { order = append(order, "closed") }
		})
		ws := k.openWebSocket()
		synctest.Wait()
		s := ws.peer.session
		s.Do(func() {
			s.Close()
			order = append(order, "do")
		})
		s.Do(func() { order = append(order, "never") })
		assert.Equal(t, closeFrame(""), ws.read())
		ws.close()
		synctest.Wait()
		assert.Equal(t, []string{"do", "closed"}, order)
	})

	bubble(t, "sessions do not wait for one another", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		a, b := k.handshake().peer.session, k.handshake().peer.session
		release := make(chan struct{})
		done := make(chan struct{})
		a.Do(func() { <-release })
		b.Do(func() { close(done) })
		<-done
		close(release)
	})
}
