package sio_test

import (
	"context"
	"encoding/json"
	"fmt"
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
		bubble(t, tc.name+" connects anew", func(t *testing.T) {
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
			again := w.doesNotRecover(i)
			again.quiet()
			assert.Equal(t, []string{"asked, recovering false"}, d.read())
		})
	}

	bubble(t, "a client whose socket OnDisconnect disconnects connects anew", func(t *testing.T) {
		w, _ := recoverable(t, func(io *sio.Server) {
			io.Of("/").OnDisconnect(func(_ context.Context, s *sio.Socket, _ sio.Reason) { s.Disconnect() })
		})
		c, i := w.join()
		c.drop()
		absent, known := w.io.Of("/").Absent()
		assert.Zero(t, absent+known)
		again := w.doesNotRecover(i)
		again.quiet()
	})

	for reason, end := range map[string]func(*client){
		"transport close": func(c *client) { c.send("1") },
		"transport error": func(c *client) { c.send("2") },
		"parse error":     func(c *client) { c.send("7") },
		"ping timeout":    func(c *client) { c.mute.Store(true); time.Sleep(time.Minute) },
	} {
		outcome := "a client recovers after "
		if reason == "parse error" {
			outcome = "a client does not recover after "
		}
		bubble(t, outcome+reason, func(t *testing.T) {
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

	bubble(t, "a socket that is closed by the server comes back", func(t *testing.T) {
		w, all := recoverable(t)
		c, i := w.join()
		emit(t, all.last(), 1)
		all.last().Close()
		emit(t, all.last(), 2)
		i.offset = c.event(`42["e",1]`)
		c.expectClose()
		w.recovers(i).event(`42["e",2]`)
	})

	bubble(t, "a socket that comes after another on the same connection gets nothing of the other's", func(t *testing.T) {
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
	// token makes "/" accept only the token "good", and note what it was asked.
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

	bubble(t, "a recovery that middleware refused may be tried again with a better token, on any connection", func(t *testing.T) {
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

	bubble(t, "a refused recovery does not extend the window", func(t *testing.T) {
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

	bubble(t, "a panic of middleware refuses the recovery, which may be tried again", func(t *testing.T) {
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

	bubble(t, "ErrNotRecovered connects the client anew at once, with nothing of what it had", func(t *testing.T) {
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

	bubble(t, "a client that missed too much connects anew, and middleware is not asked about recovery", func(t *testing.T) {
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

	for leaving, reason := range map[bool]string{false: "transport close", true: "server namespace disconnect"} {
		bubble(t, fmt.Sprintf("too much said by the middleware itself too, and then it is told that the socket is gone, sent away %v", leaving), func(t *testing.T) {
			var d diary
			config := recovering
			config.Engine.Retain = 8
			w := serve(t, config, func(io *sio.Server) {
				history(&d)(io)
				io.Of("/").Use(func(_ context.Context, c *sio.Connect) error {
					for range 33 {
						emit(t, c.Socket)
					}
					if leaving && c.Recovering {
						c.Socket.Disconnect()
					}
					return nil
				})
			})
			c, i := w.join()
			c.drop()
			d.read()
			again := w.doesNotRecover(i)
			again.quiet()
			assert.Equal(t, []string{"asked, recovering true", reason, "asked, recovering false"}, d.read())
		})
	}
}
