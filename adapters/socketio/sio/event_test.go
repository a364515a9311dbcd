package sio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

func TestEvent(t *testing.T) {
	bubble(t, "an event goes to its handler, or else to the one for unhandled events", func(t *testing.T) {
		var d diary
		c := serve(t, sio.Config{}, func(io *sio.Server) {
			n := io.Of("/")
			n.On("hello", func(ctx context.Context, e *sio.Event) {
				d.add("%s %s ack %t err %v", e.Name, e.Args, e.WantsAck(), ctx.Err())
			})
			n.On("42", func(_ context.Context, e *sio.Event) { d.add("number %s %s", e.Name, e.Args) })
			n.OnUnhandled(func(_ context.Context, e *sio.Event) { d.add("unhandled %q %s", e.Name, e.Args) })
		}).connect()
		c.send(
			`42["hello"]`, `427["hello" , {"a" : 1} ,null,[2], "five", 6]`, `42[42,true]`, `42["h\u0065llo"]`,
			`42["other",1]`, `42["error"]`, `42[""]`, `42["__proto__"]`, `42["\u0000\ud800"]`,
		)
		assert.Equal(t, []string{
			"hello [] ack false err <nil>", `hello [{"a" : 1} null [2] "five" 6] ack true err <nil>`, "number 42 [true]",
			"hello [] ack false err <nil>", `unhandled "other" [1]`, `unhandled "error" []`, `unhandled "" []`,
			`unhandled "__proto__" []`, `unhandled "\x00�" []`,
		}, d.read())
		c.quiet()
	})

	bubble(t, "an event without a handler is ignored", func(t *testing.T) {
		c := serve(t, sio.Config{}, func(io *sio.Server) { echo(io.Of("/")) }).connect()
		c.send(`421["other"]`, `422["echo"]`)
		c.expect(`432[]`)
	})

	bubble(t, "Bind decodes arguments in order, and fails if one is missing or of another type", func(t *testing.T) {
		var d diary
		c := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").On("e", func(_ context.Context, e *sio.Event) {
				var s string
				var n int
				err := e.Bind(&s, &n)
				d.add("%q %d %v", s, n, err)
			})
		}).connect()
		c.send(`42["e","x",1,"more"]`, `42["e","x"]`, `42["e",1,"x"]`)
		lines := d.read()
		require.Len(t, lines, 3)
		assert.Equal(t, `"x" 1 <nil>`, lines[0])
		assert.Contains(t, lines[1], "sio: 1 arguments, want 2")
		assert.Contains(t, lines[2], "cannot unmarshal number")
	})
}

func TestAck(t *testing.T) {
	bubble(t, "an ack is sent once, and only if asked for", func(t *testing.T) {
		var d diary
		c := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").On("e", func(_ context.Context, e *sio.Event) {
				d.add("wanted %t", e.WantsAck())
				assert.NoError(t, e.Ack("first", 1))
				assert.NoError(t, e.Ack("second"))
				d.add("wanted %t", e.WantsAck())
			})
		}).connect()
		c.send(`42["e"]`, `420["e"]`, `4218446744073709551615["e"]`)
		c.expect(`430["first",1]`, `4318446744073709551615["first",1]`)
		c.quiet()
		assert.Equal(t, []string{
			"wanted false", "wanted false", "wanted true", "wanted false", "wanted true", "wanted false",
		}, d.read())
	})

	bubble(t, "after an ack that cannot be encoded, another may be sent", func(t *testing.T) {
		c := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").On("e", func(_ context.Context, e *sio.Event) {
				assert.Error(t, e.Ack(func() {}))
				assert.NoError(t, e.Ack())
			})
		}).connect()
		c.send(`4212["e"]`)
		c.expect(`4312[]`)
	})

	bubble(t, "an ack may be sent after the handler has returned, from any goroutine", func(t *testing.T) {
		c := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").On("later", func(_ context.Context, e *sio.Event) {
				for range 4 {
					go func() {
						<-time.After(time.Second)
						assert.NoError(t, e.Ack("done"))
						assert.False(t, e.WantsAck())
					}()
				}
			})
			echo(io.Of("/"))
		}).connect()
		c.send(`421["later"]`, `422["echo"]`)
		c.expect(`432[]`, `431["done"]`)
		c.quiet()
	})

	bubble(t, "an ack to a socket that is gone is no error", func(t *testing.T) {
		var d diary
		release := make(chan struct{})
		c := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").On("later", func(_ context.Context, e *sio.Event) {
				go func() {
					<-release
					d.add("%v", e.Ack("too late"))
				}()
			})
		}).connect()
		c.send(`421["later"]`, "41")
		synctest.Wait()
		close(release)
		assert.Equal(t, []string{"<nil>"}, d.read())
		c.quiet()
	})

	bubble(t, "a client's ack that nobody waits for is ignored", func(t *testing.T) {
		c := serve(t, sio.Config{}, func(io *sio.Server) { echo(io.Of("/")) }).connect()
		c.send(`430[]`, `437["x"]`, `43`, `439`, `43["no id"]`, `461-5[{"_placeholder":true,"num":0}]`)
		c.sendBinary(1)
		c.send(`421["echo"]`)
		c.expect(`431[]`)
		c.quiet()
	})
}

func TestBinary(t *testing.T) {
	bubble(t, "binary data comes and goes as attachments after its event", func(t *testing.T) {
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			for _, name := range []string{"/", "/files"} {
				io.Of(name).On("put", func(_ context.Context, e *sio.Event) {
					var name string
					var file struct {
						Data sio.Binary `json:"data"`
					}
					assert.NoError(t, e.Bind(&name, &file))
					assert.Len(t, e.Attachments, 2)
					assert.NoError(t, e.Socket.Emit("stored", name, file.Data, []byte{}))
					assert.NoError(t, e.Ack(map[string]any{"was": file.Data}))
				})
			}
		})
		c := w.connect()
		c.send(`452-7["put","a",{"data":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]`)
		c.quiet()
		c.sendBinary()
		c.quiet()
		c.sendBinary(1, 2, 3)
		c.expect(`452-["stored","a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "<010203>", "<>",
			`461-7[{"was":{"_placeholder":true,"num":0}}]`, "<010203>")
		c.send("40/files,")
		c.connected("/files,")
		c.send(`452-/files,["put","b",{"data":{"_placeholder":true,"num":0}}]`)
		c.sendBinary(4)
		c.sendBinary(5)
		c.expect(`452-/files,["stored","b",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "<04>", "<>")
		c.quiet()
	})

	bubble(t, "the handler may keep attachments", func(t *testing.T) {
		var kept [][]byte
		c := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").On("put", func(_ context.Context, e *sio.Event) { kept = append(kept, e.Attachments...) })
			echo(io.Of("/"))
		}).connect()
		c.send(`451-["put",{"_placeholder":true,"num":0}]`)
		c.sendBinary(1, 2, 3)
		c.send(`421["echo","` + strings.Repeat("x", 2000) + `"]`)
		c.next()
		assert.Equal(t, [][]byte{{1, 2, 3}}, kept)
	})

	bubble(t, "attachments directly follow their event when several goroutines emit", func(t *testing.T) {
		const emitters, each = 4, 50
		var all sync.WaitGroup
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").OnConnect(func(_ context.Context, s *sio.Socket) {
				for g := range emitters {
					all.Go(func() {
						for i := range each {
							if g == 0 {
								assert.NoError(t, s.Emit("text", i))
								continue
							}
							assert.NoError(t, s.Emit("binary", g, i, []byte{byte(g)}, []byte{byte(i)}))
						}
					})
				}
			})
		})
		c := w.connect()
		synctest.Wait()
		all.Wait()
		last := [emitters]int{-1, -1, -1, -1}
		for range emitters * each {
			m := c.next()
			require.NotContains(t, m, "<", "an attachment without its event")
			if strings.HasPrefix(m, "42") {
				last[0]++
				continue
			}
			var g, i int
			_, err := fmt.Sscanf(m, `452-["binary",%d,%d,`, &g, &i)
			require.NoError(t, err, m)
			c.expect(fmt.Sprintf("<%02x>", g), fmt.Sprintf("<%02x>", i))
			require.Equal(t, last[g]+1, i, "the order of one goroutine's events")
			last[g] = i
		}
		assert.Equal(t, [emitters]int{each - 1, each - 1, each - 1, each - 1}, last)
		c.quiet()
	})

	bubble(t, "arguments that cannot be sent are an error, and nothing is sent", func(t *testing.T) {
		c := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").OnConnect(func(_ context.Context, s *sio.Socket) {
				eleven := make([]any, 11)
				for i := range eleven {
					eleven[i] = []byte{1}
				}
				assert.Error(t, s.Emit("e", eleven...))
				assert.Error(t, s.Emit("e", make(chan int)))
				_, err := sio.Prepare("/", "e", errors.ErrUnsupported, func() {})
				assert.Error(t, err)
			})
		}).connect()
		c.quiet()
	})
}
