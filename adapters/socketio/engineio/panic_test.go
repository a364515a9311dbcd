package engineio_test

import (
	"errors"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

// clumsy panics when it hears "panic".
func clumsy(p *peer) {
	p.onReceive = func(data []byte, _ bool) {
		if string(data) == "panic" {
			panic("clumsy receiver")
		}
	}
}

func TestPanic(t *testing.T) {
	bubble(t, "in Receive ends its polling session only, and answers the request", func(t *testing.T) {
		k := inMemory(t, engineio.Config{}, clumsy)
		c, other := k.handshake(), k.handshake()
		c.postRefused("4a\x1e4panic\x1e4b")
		other.post("4fine")
		synctest.Wait()
		assert.Equal(t, []string{"a", "panic"}, c.peer.got())
		assert.Equal(t, only(engineio.ReasonTransportError), c.peer.ended())
		assert.Empty(t, other.peer.ended())
		assert.Contains(t, k.logs.take(), "clumsy receiver")
	})

	bubble(t, "in Receive ends its WebSocket session only", func(t *testing.T) {
		k := inMemory(t, engineio.Config{}, clumsy)
		ws, other := k.openWebSocket(), k.openWebSocket()
		ws.sendText("4a", "4panic", "4b")
		assert.Equal(t, hungUp, ws.read())
		other.sendText("4fine")
		synctest.Wait()
		assert.Equal(t, []string{"a", "panic"}, ws.peer.got())
		assert.Equal(t, only(engineio.ReasonTransportError), ws.peer.ended())
		assert.Equal(t, []string{"fine"}, other.peer.got())
		assert.Contains(t, k.logs.take(), "clumsy receiver")
	})

	bubble(t, "in Closed is logged, and the session is over all the same", func(t *testing.T) {
		k := inMemory(t, engineio.Config{}, func(p *peer) { p.onClosed = func() { panic("clumsy end") } })
		ws, c := k.openWebSocket(), k.handshake()
		ws.close()
		c.post("1")
		synctest.Wait()
		assert.Zero(t, k.engine.Len())
		assert.Contains(t, k.logs.take(), "clumsy end")
	})

	bubble(t, "in accept refuses the session", func(t *testing.T) {
		k := inMemory(t, engineio.Config{}, func(*peer) { panic("clumsy accept") })
		assert.Equal(t, answerOf(403, forbidden), summary(k.get(polling)))
		assert.Equal(t, hungUp, k.upgradeTo(webSocket).read())
		assert.Zero(t, k.engine.Len())
		assert.Contains(t, k.logs.take(), "clumsy accept")
	})

	bubble(t, "in Do ends the session", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		c := k.handshake()
		c.peer.session.Do(func() { panic("clumsy turn") })
		c.peer.session.Do(func() { t.Error("called after the session's end") })
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonTransportError), c.peer.ended())
		assert.Contains(t, k.logs.take(), "clumsy turn")
	})

	bubble(t, "in the sequence given to Multicast leaves no session stuck", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		first, second := k.openWebSocket(), k.openWebSocket()
		assert.Panics(t, func() {
			engineio.Multicast(func(yield func(*engineio.Session) bool) {
				yield(first.peer.session)
				panic("clumsy sequence")
			}, textPacket("one"))
		})
		engineio.Multicast(slices.Values([]*engineio.Session{first.peer.session, second.peer.session}), textPacket("two"))
		assert.Equal(t, []string{"4one", "4two"}, first.readText(2))
		assert.Equal(t, []string{"4two"}, second.readText(1))
	})

	bubble(t, "in a connection beneath is the end of its session and of nothing else", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		k.dress = func(conn net.Conn) net.Conn { return &clumsyConn{Conn: conn} }
		ws := k.openWebSocket()
		ws.send(websocket.OpText, []byte("4panic"))
		assert.Equal(t, hungUp, ws.read())
		synctest.Wait()
		assert.Equal(t, only(engineio.ReasonTransportError), ws.peer.ended())
		assert.Contains(t, k.logs.take(), "clumsy connection")
	})
}

// clumsyConn panics at the first read after the opening handshake that brings anything.
type clumsyConn struct {
	net.Conn
	reads int
}

func (c *clumsyConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil {
		c.reads++
	}
	if c.reads > 1 {
		panic("clumsy connection")
	}
	return n, err
}

func TestDo(t *testing.T) {
	bubble(t, "calls are made in order, one at a time, and not during Receive", func(t *testing.T) {
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

	bubble(t, "Closed comes after the call under way, and none comes after Closed", func(t *testing.T) {
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

// A receiver may call anything of the session from anywhere, with whatever locks held.
func TestReentrancy(t *testing.T) {
	calls := map[string]func(*engineio.Session){
		"Send":  func(s *engineio.Session) { s.Send(textPacket("x")) },
		"Close": func(s *engineio.Session) { s.Close() },
		"Do":    func(s *engineio.Session) { s.Do(func() { s.Close() }) },
		"the end of the outbox": func(s *engineio.Session) {
			for range 3 {
				s.Send(textPacket("x"), binaryPacket(make([]byte, 2000)...))
			}
		},
	}
	for name, call := range calls {
		bubble(t, name+" within accept, Receive, Do and Closed does not block", func(t *testing.T) {
			k := inMemory(t, engineio.Config{OutboxBytes: 1000}, func(p *peer) {
				p.onReceive = func([]byte, bool) { call(p.session) }
				p.onClosed = func() { call(p.session) }
			})
			c := k.handshake()
			got := c.beginPost("4x").wait()
			assert.Contains(t, []int{http.StatusOK, http.StatusBadRequest}, got.status)
			c.peer.session.Do(func() { call(c.peer.session) })
			ws := k.openWebSocket()
			ws.sendText("4x", "4y")
			ws.close()
			time.Sleep(time.Hour)
			synctest.Wait()
			assert.Zero(t, k.engine.Len())
			assert.Len(t, c.peer.ended(), 1)
			assert.Len(t, ws.peer.ended(), 1)
		})
	}

	bubble(t, "Authorize that fails after a while holds nobody up", func(t *testing.T) {
		k := inMemory(t, engineio.Config{Authorize: func(r *http.Request) (any, error) {
			if r.URL.Query().Get("slow") != "" {
				time.Sleep(time.Minute)
				return nil, errors.New("no")
			}
			return nil, nil
		}})
		slow := k.begin(http.MethodGet, polling+"&slow=1", nil)
		assert.True(t, slow.waiting())
		start := time.Now()
		k.handshake()
		assert.Zero(t, time.Since(start))
		assert.Equal(t, http.StatusForbidden, slow.wait().status)
	})
}
