package sio_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

var askID = regexp.MustCompile(`^(4[25](?:\d+-)?(?:/[^,]+,)?)(\d+)(\[.*)$`)

// asked reads an event that asks for an ack, which must be the given one apart from its id, and returns the id. A binary
// one begins with "N-", the number of its attachments.
func (c *client) asked(want string) (id string) {
	c.t.Helper()
	m := c.next()
	found := askID.FindStringSubmatch(m)
	require.NotNil(c.t, found, "not an event that asks for an ack: %s", m)
	require.Equal(c.t, want, found[1]+found[3])
	return found[2]
}

// answers notes in the diary how an ask ended.
func answers(d *diary, name string) func(*sio.Reply, error) {
	return func(r *sio.Reply, err error) {
		if err != nil {
			d.add("%s: %v", name, err)
			return
		}
		d.add("%s: %s", name, r.Args)
	}
}

// asking is a server, its diary, and one client's socket.
func asking(t *testing.T, config sio.Config) (w *world, d *diary, c *client, s *sio.Socket) {
	t.Helper()
	all := &crowd{}
	w = serve(t, config, func(io *sio.Server) {
		all.gather(io.Of("/"))
		echo(io.Of("/"))
	})
	c = w.open()
	c.send("40")
	require.Regexp(t, `^40\{"sid":`, c.next())
	return w, &diary{}, c, all.last()
}

func TestAsk(t *testing.T) {
	bubble(t, "the answer comes once, with the client's arguments", func(t *testing.T) {
		_, d, c, s := asking(t, sio.Config{})
		require.NoError(t, s.Ask(time.Minute, answers(d, "ask"), "ask", "what", 7))
		id := c.asked(`42["ask","what",7]`)
		assert.Empty(t, d.read())
		c.send(`43`+id+`["yes",{"n":1}]`, `43`+id+`["no"]`)
		assert.Equal(t, []string{`ask: ["yes" {"n":1}]`}, d.read())
		time.Sleep(time.Hour)
		assert.Empty(t, d.read())
		c.quiet()
	})

	bubble(t, "arguments and answer may be binary", func(t *testing.T) {
		_, d, c, s := asking(t, sio.Config{})
		require.NoError(t, s.Ask(time.Minute, func(r *sio.Reply, err error) {
			var name string
			var data sio.Binary
			if assert.NoError(t, err) && assert.NoError(t, r.Bind(&name, &data)) {
				d.add("%s %x", name, []byte(data))
			}
			assert.Error(t, r.Bind(&name, &data, &data), "more than there are")
		}, "ask", []byte{1}))
		id := c.asked(`451-["ask",{"_placeholder":true,"num":0}]`)
		c.expect("<01>")
		c.send(`461-` + id + `["data",{"_placeholder":true,"num":0}]`)
		c.sendBinary(2, 3)
		assert.Equal(t, []string{"data 0203"}, d.read())
	})

	bubble(t, "a client that does not answer in time is given up, and its late answer ignored", func(t *testing.T) {
		_, d, c, s := asking(t, sio.Config{})
		start := time.Now()
		require.NoError(t, s.Ask(3*time.Second, answers(d, "ask"), "ask"))
		id := c.asked(`42["ask"]`)
		time.Sleep(3*time.Second - time.Millisecond)
		assert.Empty(t, d.read())
		time.Sleep(time.Millisecond)
		assert.Equal(t, []string{"ask: sio: no ack in time"}, d.read())
		assert.Equal(t, 3*time.Second, time.Since(start))
		c.send(`43`+id+`["late"]`, `431234["never asked"]`, `43`+id+`[]`)
		assert.Empty(t, d.read())
		c.quiet()
	})

	bubble(t, "however the socket disconnects, the answer is ErrDisconnected", func(t *testing.T) {
		for name, end := range map[string]func(*client, *sio.Socket){
			"a lost connection":   func(c *client, _ *sio.Socket) { c.drop() },
			"the client's leave":  func(c *client, _ *sio.Socket) { c.send("41") },
			"the server's":        func(_ *client, s *sio.Socket) { s.Disconnect() },
			"the server's close":  func(_ *client, s *sio.Socket) { s.Close() },
			"a lost one, to come": func(c *client, _ *sio.Socket) { c.drop() },
		} {
			config := sio.Config{}
			if strings.HasSuffix(name, "to come") {
				config = recovering
			}
			_, d, c, s := asking(t, config)
			for range 3 {
				require.NoError(t, s.Ask(time.Minute, answers(d, name), "ask"))
				c.asked(`42["ask"]`)
			}
			end(c, s)
			gone := name + ": sio: disconnected before the ack"
			assert.Equal(t, []string{gone, gone, gone}, d.read())
			require.NoError(t, s.Ask(time.Minute, answers(d, name), "ask"))
			assert.Equal(t, []string{gone}, d.read(), "asked when it had gone")
			time.Sleep(time.Hour)
			assert.Empty(t, d.read())
		}
	})

	bubble(t, "after a recovery, an earlier question is not repeated and its answer not taken", func(t *testing.T) {
		w, all := recoverable(t)
		var d diary
		c, i := w.join()
		s := all.last()
		require.NoError(t, s.Ask(time.Minute, answers(&d, "before"), "ask"))
		before := c.asked(`42["ask"]`)
		c.drop()
		require.NoError(t, s.Ask(time.Minute, answers(&d, "absent"), "ask"))
		c = w.recovers(i)
		c.quiet()
		d.read()
		require.NoError(t, s.Ask(time.Minute, answers(&d, "after"), "ask"))
		after := c.asked(`42["ask"]`)
		c.send(`43`+before+`["before"]`, `43`+after+`["after"]`)
		assert.Equal(t, []string{`after: ["after"]`}, d.read())
	})

	bubble(t, "a client may owe a thousand acks, and no more", func(t *testing.T) {
		_, d, c, s := asking(t, sio.Config{})
		ids := make([]string, 1000)
		for i := range ids {
			require.NoError(t, s.Ask(time.Minute, func(*sio.Reply, error) {}, "ask", i))
			ids[i] = c.asked(fmt.Sprintf(`42["ask",%d]`, i))
		}
		require.NoError(t, s.Ask(time.Minute, answers(d, "one more"), "ask"))
		assert.Equal(t, []string{"one more: sio: too many acks pending"}, d.read())
		c.quiet()
		c.send(`43` + ids[500] + `[]`)
		synctest.Wait()
		require.NoError(t, s.Ask(time.Minute, answers(d, "again"), "ask"))
		c.asked(`42["ask"]`)
		assert.Empty(t, d.read())
	})

	bubble(t, "arguments that cannot be encoded are an error, and nothing is asked", func(t *testing.T) {
		_, d, c, s := asking(t, sio.Config{})
		require.Error(t, s.Ask(time.Minute, answers(d, "ask"), "ask", func() {}))
		require.Error(t, sio.AskAll("/", slices.Values([]*sio.Socket{s}), time.Minute,
			func(*sio.Socket, *sio.Reply, error) { d.add("answered") }, "ask", make(chan int)))
		c.drop()
		assert.Empty(t, d.read())
	})

	bubble(t, "an ack that violates the protocol ends the connection", func(t *testing.T) {
		_, d, c, s := asking(t, sio.Config{})
		require.NoError(t, s.Ask(time.Minute, answers(d, "ask"), "ask"))
		c.send(`43` + c.asked(`42["ask"]`) + `{}`)
		c.expectClose()
		assert.Equal(t, []string{"ask: sio: disconnected before the ack"}, d.read())
	})
}

func TestAsk_turns(t *testing.T) {
	bubble(t, "answers never overlap with the socket's handlers, nor do time-outs", func(t *testing.T) {
		var inTurn atomic.Int32
		turn := func(d *diary, what string) {
			assert.EqualValues(t, 1, inTurn.Add(1))
			d.add("%s", what)
			inTurn.Add(-1)
		}
		var d diary
		w := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").On("go", func(_ context.Context, e *sio.Event) {
				for i := range 3 {
					assert.NoError(t, e.Socket.Ask(time.Duration(i+1)*time.Second, func(_ *sio.Reply, err error) {
						turn(&d, fmt.Sprint("answer ", i, " ", err))
					}, "ask", i))
				}
				turn(&d, "asked")
			})
		})
		c := w.connect()
		c.send(`42["go"]`)
		c.asked(`42["ask",0]`)
		id := c.asked(`42["ask",1]`)
		c.send(`43` + id + `[]`)
		assert.Equal(t, []string{"asked", "answer 1 <nil>"}, d.read())
		time.Sleep(time.Minute)
		assert.Equal(t, []string{"answer 0 sio: no ack in time", "answer 2 sio: no ack in time"}, d.read())
	})

	bubble(t, "the answer function may ask again, emit and disconnect the client", func(t *testing.T) {
		_, d, c, s := asking(t, sio.Config{})
		require.NoError(t, s.Ask(time.Minute, func(*sio.Reply, error) {
			assert.NoError(t, s.Emit("thanks"))
			assert.NoError(t, s.Ask(time.Minute, func(_ *sio.Reply, err error) {
				d.add("second: %v", err)
				s.Disconnect()
			}, "second"))
		}, "first"))
		c.send(`43` + c.asked(`42["first"]`) + `[]`)
		c.expect(`42["thanks"]`)
		c.send(`43` + c.asked(`42["second"]`) + `[]`)
		c.expect("41")
		assert.Equal(t, []string{"second: <nil>"}, d.read())
	})

	bubble(t, "a panic in one answer ends the connection, and the others are given", func(t *testing.T) {
		w, d, c, s := asking(t, sio.Config{})
		for i := range 20 {
			require.NoError(t, s.Ask(time.Minute, func(_ *sio.Reply, err error) {
				d.add("%v", err)
				panic("answer")
			}, "ask", i))
			c.asked(fmt.Sprintf(`42["ask",%d]`, i))
		}
		c.drop()
		assert.Len(t, d.read(), 20)
		assert.Equal(t, 20, strings.Count(w.logs.String(), "panic in handler"))
		assert.Zero(t, w.io.Len())
	})

	bubble(t, "a panic in an answer about a time-out ends the connection too", func(t *testing.T) {
		w, _, c, s := asking(t, sio.Config{})
		require.NoError(t, s.Ask(time.Second, func(*sio.Reply, error) { panic("time-out") }, "ask"))
		c.asked(`42["ask"]`)
		time.Sleep(time.Second)
		c.expectClose()
		assert.Contains(t, w.logs.String(), "time-out")
		assert.Zero(t, w.io.Len())
	})
}

func TestAskAll(t *testing.T) {
	bubble(t, "each socket answers for itself, to the same packet", func(t *testing.T) {
		var all crowd
		w := serve(t, sio.Config{}, func(io *sio.Server) { all.gather(io.Of("/a")) })
		clients := make([]*client, 6)
		for i := range clients {
			clients[i] = w.open()
			clients[i].send("40/a,")
			clients[i].connected("/a,")
			synctest.Wait()
		}
		sockets := all.snapshot()
		clients[4].send("41/a,")
		synctest.Wait()
		var d diary
		encoded := 0
		err := sio.AskAll("/a", slices.Values(sockets), time.Minute, func(s *sio.Socket, r *sio.Reply, err error) {
			i := slices.Index(sockets, s)
			if err != nil {
				d.add("%d: %v", i, err)
				return
			}
			d.add("%d: %s", i, r.Args)
		}, "ask", counted{&encoded})
		require.NoError(t, err)
		assert.Equal(t, 1, encoded)
		assert.Equal(t, []string{"4: sio: disconnected before the ack"}, d.read())
		ids := make([]string, len(clients))
		for i, c := range clients {
			if i != 4 {
				ids[i] = c.asked(`42/a,["ask","counted"]`)
				assert.Equal(t, ids[0], ids[i])
			}
		}
		clients[1].send(`43/a,` + ids[1] + `["one"]`)
		assert.Equal(t, []string{`1: ["one"]`}, d.read())
		clients[0].send(`43/a,` + ids[0] + `["zero"]`)
		assert.Equal(t, []string{`0: ["zero"]`}, d.read())
		clients[2].drop()
		assert.Equal(t, []string{"2: sio: disconnected before the ack"}, d.read())
		time.Sleep(time.Minute)
		assert.ElementsMatch(t, []string{"3: sio: no ack in time", "5: sio: no ack in time"}, d.read())
	})

	bubble(t, "a sequence that stops early is asked as far as it goes", func(t *testing.T) {
		var all crowd
		w := serve(t, sio.Config{}, func(io *sio.Server) { all.gather(io.Of("/")) })
		first := w.connect()
		synctest.Wait()
		second := w.connect()
		synctest.Wait()
		require.NoError(t, sio.AskAll("/", func(yield func(*sio.Socket) bool) { yield(all.snapshot()[0]) }, time.Minute,
			func(*sio.Socket, *sio.Reply, error) {}, "ask"))
		first.asked(`42["ask"]`)
		second.quiet()
	})
}

// counted counts how often it is encoded.
type counted struct{ times *int }

func (c counted) MarshalJSON() ([]byte, error) {
	*c.times++
	return []byte(`"counted"`), nil
}
