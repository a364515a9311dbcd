package sio_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

func TestMulticast(t *testing.T) {
	bubble(t, "Multicast sends the same to all that are connected", func(t *testing.T) {
		var all crowd
		w := serve(t, sio.Config{}, func(io *sio.Server) { all.gather(io.Of("/a")) })
		clients := make([]*client, 100)
		for i := range clients {
			clients[i] = w.open()
			clients[i].send("40/a,")
			clients[i].connected("/a,")
		}
		clients[7].send("41/a,")
		synctest.Wait()
		event, err := sio.Prepare("/a", "news", map[string]any{"n": 1}, []byte{1, 2})
		require.NoError(t, err)
		text, err := sio.Prepare("/a", "text")
		require.NoError(t, err)
		sio.Multicast(slices.Values(all.snapshot()), event)
		sio.Multicast(slices.Values(all.snapshot()), text.Volatile())
		sio.Multicast(slices.Values([]*sio.Socket(nil)), text)
		for i, c := range clients {
			if i == 7 {
				continue
			}
			c.expect(`451-/a,["news",{"n":1},{"_placeholder":true,"num":0}]`, "<0102>", `42/a,["text"]`)
		}
		for _, c := range clients {
			c.quiet()
		}
	})

	bubble(t, "Multicast sends to the sockets of the sequence, and no others", func(t *testing.T) {
		var all crowd
		w := serve(t, sio.Config{}, func(io *sio.Server) { all.gather(io.Of("/")) })
		first := w.connect()
		synctest.Wait() // OnConnect comes after the client was told
		second := w.connect()
		synctest.Wait()
		event, err := sio.Prepare("/", "e")
		require.NoError(t, err)
		sio.Multicast(func(yield func(*sio.Socket) bool) { yield(all.snapshot()[0]) }, event)
		first.expect(`42["e"]`)
		second.quiet()
	})

	bubble(t, "Multicast reaches everyone in order while sockets come and go", func(t *testing.T) {
		const broadcasts = 300
		var all crowd
		w := serve(t, sio.Config{}, func(io *sio.Server) { all.gather(io.Of("/")) })
		stays := []*client{w.connect(), w.connect()}
		synctest.Wait()
		var done sync.WaitGroup
		done.Go(func() {
			for i := range broadcasts {
				event, err := sio.Prepare("/", "n", i)
				assert.NoError(t, err)
				sio.Multicast(slices.Values(all.snapshot()), event)
			}
		})
		for range 3 {
			done.Go(func() {
				for i := range 15 {
					c := w.connect()
					switch i % 3 {
					case 0:
						_ = c.conn.Close()
					case 1:
						c.send("41")
					}
				}
			})
		}
		done.Go(func() {
			for range 20 {
				if others := all.snapshot()[len(stays):]; len(others) > 0 {
					others[len(others)-1].Disconnect()
				}
			}
		})
		done.Wait()
		for _, c := range stays {
			for i := range broadcasts {
				c.expect(fmt.Sprintf(`42["n",%d]`, i))
			}
			c.quiet()
		}
	})
}

func TestEmitToSocketThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all crowd
		c := serve(t, sio.Config{}, func(io *sio.Server) { all.gather(io.Of("/")) }).connect()
		c.send("41")
		synctest.Wait()
		s := all.snapshot()[0]
		require.NoError(t, s.Emit("e"))
		event, err := sio.Prepare("/", "e")
		require.NoError(t, err)
		s.Send(event)
		c.quiet()
		c.send("40")
		c.connected("")
		require.NoError(t, s.Emit("e"), "not to the socket that came after it either")
		c.quiet()
	})
}
