package sio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

func TestRecovery_of_who_left(t *testing.T) {
	cases := []struct {
		name string
		end  func(c *client, s *sio.Socket)
	}{
		{"the client that left the namespace", func(c *client, _ *sio.Socket) { c.send("41"); synctest.Wait(); c.drop() }},
		{"the client that was sent away", func(c *client, s *sio.Socket) { s.Disconnect(); c.drop() }},
		{"the client that was sent away while its connection ended", func(c *client, s *sio.Socket) { go s.Disconnect(); c.drop() }},
		{"the client that was sent away when it had gone", func(c *client, s *sio.Socket) { c.drop(); s.Disconnect() }},
	}
	for _, tc := range cases {
		inBubble(t, tc.name+" connects anew", func(t *testing.T) {
			var d diary
			w, all := recoverable(t, history(&d))
			c, i := w.join()
			s := all.last()
			tc.end(c, s)
			synctest.Wait()
			require.Len(t, d.read(), 2, "asked once, gone once")
			absent, known := w.io.Of("/").Absent()
			assert.Zero(t, absent+known)
			emit(t, s, "to nobody")
			again, _ := w.doesNotRecover(i)
			again.quiet()
			assert.Equal(t, []string{"asked, recovering false"}, d.read())
		})
	}

	for reason, end := range map[string]func(*client){
		"transport close": func(c *client) { c.send("1") },
		"transport error": func(c *client) { c.send("2") },
		"parse error":     func(c *client) { c.send("7") },
		"ping timeout":    func(c *client) { c.mute.Store(true); time.Sleep(time.Minute) },
	} {
		inBubble(t, "whether a client recovers after "+reason, func(t *testing.T) {
			var d diary
			w, _ := recoverable(t, history(&d))
			c, i := w.join()
			end(c)
			assert.Equal(t, []string{"asked, recovering false", reason}, d.read())
			if reason == "parse error" {
				w.doesNotRecover(i)
				return
			}
			w.recovers(i)
		})
	}

	inBubble(t, "a socket that is closed by the server comes back", func(t *testing.T) {
		w, all := recoverable(t)
		c, i := w.join()
		emit(t, all.last(), 1)
		all.last().Close()
		emit(t, all.last(), 2)
		i.offset = c.event(`42["e",1]`)
		c.expectClose()
		w.recovers(i).event(`42["e",2]`)
	})

	inBubble(t, "a socket that comes after another on the same connection gets nothing of the other's", func(t *testing.T) {
		for _, proved := range []bool{false, true} {
			w, all := recoverable(t, func(io *sio.Server) { io.Of("/a") })
			c, i := w.join()
			emit(t, all.last(), "the first's")
			i.offset = c.event(`42["e","the first's"]`)
			emit(t, all.last(), "the first's too")
			c.event(`42["e","the first's too"]`)
			if proved {
				time.Sleep(time.Minute)
			}
			c.sendAtOnce("41", "40")
			second := c.accepted("")
			c.drop()
			emit(t, all.last(), "the second's")
			second.offset = i.offset // socket.io-client keeps it
			again := w.recovers(second)
			again.event(`42["e","the second's"]`)
			again.quiet()
		}
	})
}

func TestRecovery_refused(t *testing.T) {
	// token makes "/" take the token "good" only, and note what it was asked.
	token := func(d *diary) func(*sio.Server) {
		return func(io *sio.Server) {
			io.Of("/").Use(func(_ context.Context, c *sio.Connect) error {
				var auth struct{ Token string }
				_ = json.Unmarshal(c.Auth, &auth)
				d.add("%s, recovering %v", auth.Token, c.Recovering)
				switch auth.Token {
				case "panic":
					panic("middleware")
				case "anew":
					if c.Recovering {
						return fmt.Errorf("no: %w", sio.ErrNotRecovered)
					}
					return nil
				case "good":
					return nil
				}
				return &sio.ConnectError{Message: "bad token"}
			})
		}
	}
	connect := func(c *client, i identity, token string) {
		i.token = token
		c.send("40" + i.payload())
	}
	begin := func(t *testing.T, d *diary) (*world, *sio.Socket, identity) {
		w, all := recoverable(t, token(d))
		c := w.open()
		c.send(`40{"token":"good"}`)
		i := c.accepted("")
		c.drop()
		emit(t, all.last(), "missed")
		d.read()
		return w, all.last(), i
	}

	inBubble(t, "by middleware, it may be tried again with a better token, on any connection", func(t *testing.T) {
		var d diary
		w, s, i := begin(t, &d)
		c := w.open()
		for range 3 {
			connect(c, i, "bad")
			c.expect(`44{"message":"bad token"}`)
		}
		emit(t, s, "meanwhile")
		connect(c, i, "good")
		assert.Equal(t, i.sid, c.accepted("").sid)
		c.event(`42["e","missed"]`)
		c.event(`42["e","meanwhile"]`)
		c.quiet()
		assert.Equal(t, []string{"bad, recovering true", "bad, recovering true", "bad, recovering true", "good, recovering true"}, d.read())
	})

	inBubble(t, "the window goes on meanwhile", func(t *testing.T) {
		var d diary
		w, _, i := begin(t, &d)
		time.Sleep(window - time.Second)
		c := w.open()
		connect(c, i, "bad")
		c.expect(`44{"message":"bad token"}`)
		time.Sleep(time.Second + time.Millisecond)
		connect(c, i, "good")
		assert.NotEqual(t, i.sid, c.accepted("").sid)
	})

	inBubble(t, "a panic refuses it, and it may be tried again", func(t *testing.T) {
		var d diary
		w, _, i := begin(t, &d)
		c := w.open()
		connect(c, i, "panic")
		c.expect(`44{"message":"internal error"}`)
		assert.Contains(t, w.logs.String(), "middleware")
		connect(c, i, "good")
		assert.Equal(t, i.sid, c.accepted("").sid)
		c.event(`42["e","missed"]`)
	})

	inBubble(t, "ErrNotRecovered connects the client anew at once, with nothing of what it had", func(t *testing.T) {
		var d diary
		w, s, i := begin(t, &d)
		c := w.open()
		connect(c, i, "anew")
		got := c.accepted("")
		assert.NotEqual(t, i.sid, got.sid)
		assert.NotEqual(t, i.pid, got.pid)
		emit(t, s, "to nobody")
		c.quiet()
		assert.Equal(t, []string{"anew, recovering true", "anew, recovering false"}, d.read())
		absent, known := w.io.Of("/").Absent()
		assert.Equal(t, []int{0, 1}, []int{absent, known})
		i.token = "good"
		w.doesNotRecover(i)
	})

	inBubble(t, "too much missed connects it anew, without asking whether it might recover", func(t *testing.T) {
		var d diary
		config := recovering
		config.Engine.Retain = 8
		var all crowd
		w := serve(t, config, func(io *sio.Server) {
			history(&d)(io)
			all.gather(io.Of("/"))
		})
		c, i := w.join()
		c.drop()
		for range 33 {
			emit(t, all.last())
		}
		d.read()
		w.doesNotRecover(i)
		assert.Equal(t, []string{"asked, recovering false"}, d.read())
	})

	inBubble(t, "too much said by the middleware itself too, and then it is told that the socket is gone", func(t *testing.T) {
		var d diary
		config := recovering
		config.Engine.Retain = 8
		w := serve(t, config, func(io *sio.Server) {
			history(&d)(io)
			io.Of("/").Use(func(_ context.Context, c *sio.Connect) error {
				for range 33 {
					emit(t, c.Socket)
				}
				return nil
			})
		})
		c, i := w.join()
		c.drop()
		d.read()
		again, _ := w.doesNotRecover(i)
		again.quiet()
		assert.Equal(t, []string{"asked, recovering true", "server namespace disconnect", "asked, recovering false"}, d.read())
	})
}

func TestRecovery_hostile(t *testing.T) {
	inBubble(t, "what is no pid connects anew", func(t *testing.T) {
		w, all := recoverable(t)
		c, i := w.join()
		emit(t, all.last(), 1)
		i.offset = c.event(`42["e",1]`)
		c.drop()
		for _, payload := range []string{
			`{}`, `{"pid":""}`, `{"pid":null}`, `{"offset":"` + i.offset + `"}`, `{"pid":"` + i.sid + `"}`,
			`{"pid":"` + strings.Repeat("x", 900_000) + `"}`, `{"pid":7}`, `{"pid":["` + i.pid + `"]}`,
			`{"pid":"` + i.pid + `","offset":7}`, `{"pid":"` + i.pid + `","offset":{}}`,
		} {
			again := w.open()
			again.send("40" + payload)
			require.NotEqual(t, i.sid, again.accepted("").sid, payload[:min(len(payload), 50)])
		}
		w.recovers(i)
	})

	inBubble(t, "an offset that was proved long ago, or is of somebody else, does not make a hole", func(t *testing.T) {
		for _, lie := range []func(old, other string) string{
			func(string, string) string { return "" },
			func(old, _ string) string { return old },
			func(_, other string) string { return other },
		} {
			w, all := recoverable(t)
			other, _ := w.join()
			emit(t, all.last(), "other's")
			others := other.event(`42["e","other's"]`)
			c, i := w.join()
			emit(t, all.last(), 1)
			old := c.event(`42["e",1]`)
			emit(t, all.last(), 2)
			c.event(`42["e",2]`)
			time.Sleep(time.Minute)
			c.drop()
			i.offset = lie(old, others)
			again, _ := w.doesNotRecover(i)
			again.quiet()
		}
	})

	inBubble(t, "a pid of another namespace is nothing here, and does no harm there", func(t *testing.T) {
		for sentence, setup := range map[string]func(*sio.Server){
			"namespaces of their own":     func(io *sio.Server) { io.Of("/a"); io.Of("/b") },
			"namespaces that share rules": func(io *sio.Server) { io.OfMatching(func(string, json.RawMessage) bool { return true }) },
		} {
			w := serve(t, recovering, setup)
			c := w.open()
			c.send("40/a,")
			a := c.accepted("/a,")
			c.send("40/b," + a.payload())
			assert.NotEqual(t, a.sid, c.accepted("/b,").sid, sentence)
			other := w.open()
			other.send("40/b," + a.payload())
			assert.NotEqual(t, a.sid, other.accepted("/b,").sid, sentence)
			c.quiet()
			c.drop()
			other.send("40/a," + a.payload())
			assert.Equal(t, a.sid, other.accepted("/a,").sid, sentence)
		}
	})

	inBubble(t, "the pid of the very connection is a second CONNECT, and a violation", func(t *testing.T) {
		w, _ := recoverable(t)
		c, i := w.join()
		c.send("40" + i.payload())
		c.expectClose()
		w.recovers(i)
	})

	t.Run("who is absent holds nothing of what its client had begun to send", func(t *testing.T) {
		w := serve(t, recovering, func(*sio.Server) {})
		before := heap()
		for range 10 {
			c, _ := w.join()
			c.send(`4510-["e"` + tenPlaceholders + `]`)
			for range 4 {
				c.sendBinary(make([]byte, 900_000)...)
			}
			_ = c.conn.Close()
		}
		require.Eventually(t, func() bool { return w.io.Len() == 0 }, patience, time.Millisecond)
		assert.Less(t, heap()-before, int64(8<<20), "bytes held for ten who are absent")
	})
}

func TestRecovery_many_namespaces_in_turn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all crowd
		w := serve(t, recovering, func(io *sio.Server) {
			all.gather(io.OfMatching(func(string, json.RawMessage) bool { return true }))
		})
		c := w.open()
		visit := func(i int) {
			name := fmt.Sprint("/", strings.Repeat("n", 10_000), i)
			c.send("40" + name + ",")
			c.accepted(name + ",")
			emit(t, all.last())
			c.event("42" + name + `,["e"]`)
			time.Sleep(time.Minute) // the client has proved it
			c.send("41" + name + ",")
			all.mu.Lock()
			all.sockets = nil
			all.mu.Unlock()
		}
		visit(0)
		before := heap()
		for i := range 300 {
			visit(i)
		}
		synctest.Wait()
		assert.Less(t, heap()-before, int64(1<<20), "a connection remembers namespaces that it has left")
	})
}

// tenPlaceholders are ten arguments of binary data.
var tenPlaceholders = func() string {
	var all strings.Builder
	for i := range 10 {
		fmt.Fprintf(&all, `,{"_placeholder":true,"num":%d}`, i)
	}
	return all.String()
}()

// heap is how many bytes are in use, after a collection.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
