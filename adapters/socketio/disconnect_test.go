package socketio_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio"
	"parley/adapters/socketio/engineio"
	"parley/domain"
	"parley/ports"
)

func TestServer_Disconnect(t *testing.T) {
	for name, tc := range map[string]struct {
		end func(w *world, c *client)
		how ports.Departure
	}{
		"a client that leaves the namespace has left": {
			func(_ *world, c *client) { c.send("41") }, ports.Left,
		},
		"a client that leaves and closes, as socket.disconnect() does, has left": {
			func(_ *world, c *client) { c.send("41", "1") }, ports.Left,
		},
		"a client that closes its transport, like a closed page, has dropped": {
			func(_ *world, c *client) { c.send("1") }, ports.Dropped,
		},
		"a client that loses its connection has dropped": {
			func(_ *world, c *client) { _ = c.conn.Close() }, ports.Dropped,
		},
		"a client that answers no ping has dropped": {
			func(_ *world, c *client) { c.mute.Store(true); <-time.After(time.Minute) }, ports.Dropped,
		},
		"a client that violates Socket.IO has dropped": {
			func(_ *world, c *client) { c.send("42{}") }, ports.Dropped,
		},
		"a client that violates Engine.IO has dropped": {
			func(_ *world, c *client) { c.send("9") }, ports.Dropped,
		},
		"a client that does not read has dropped": {
			func(w *world, c *client) {
				c.deaf.Store(true)
				for range 100 {
					w.hub.Broadcast([]domain.SessionID{c.id}, "", domain.MessageSent{Message: message(1, "much to read", "")})
				}
			}, ports.Dropped,
		},
		"a client of a server that shuts down has dropped": {
			func(w *world, _ *client) { assert.NoError(t, w.io.Shutdown(context.Background(), 0)) }, ports.Dropped,
		},
	} {
		bubble(t, name, func(t *testing.T) {
			w := serve(t, socketio.Config{Engine: engineio.Config{OutboxBytes: 2000}})
			type departure struct {
				id  domain.SessionID
				how ports.Departure
			}
			var told []departure
			w.chat.EXPECT().Connect(anything, anything, "good").Return(domain.Identity{}, nil)
			w.chat.EXPECT().Disconnect(anything, anything, anything).DoAndReturn(func(_ context.Context, id domain.SessionID, how ports.Departure) domain.Absence {
				told = append(told, departure{id, how})
				return domain.Absence{}
			})
			c := w.open("", nil)
			c.send(`40{"token":"good"}`)
			c.connected()
			assert.Equal(t, 1, w.hub.Sockets())
			tc.end(w, c)
			synctest.Wait()
			assert.Equal(t, []departure{{c.id, tc.how}}, told)
			assert.Zero(t, w.hub.Sockets(), "the hub has forgotten it")
		})
	}

	bubble(t, "after a disconnect the same connection may connect anew, as another session", func(t *testing.T) {
		w := serve(t, socketio.Config{})
		c := w.connect()
		first := c.id
		c.send("41")
		w.chat.EXPECT().Connect(anything, anything, "good").Return(domain.Identity{}, nil)
		c.send(`40{"token":"good"}`)
		c.connected()
		assert.NotEqual(t, first, c.id)
		w.hub.Broadcast([]domain.SessionID{first}, "", domain.MessageSent{})
		c.quiet()
		w.chat.EXPECT().Disconnect(anything, c.id, ports.Dropped)
	})
}

func TestHub_Disconnect_at_once(t *testing.T) {
	bubble(t, "a session that is just being opened is ended as soon as it is", func(t *testing.T) {
		w := serve(t, socketio.Config{})
		var opened domain.SessionID
		w.chat.EXPECT().Connect(anything, anything, "good").DoAndReturn(
			func(_ context.Context, id domain.SessionID, _ string) (domain.Identity, error) {
				opened = id
				w.hub.Disconnect(id) // as by an operator who has just found it among the open sessions
				return domain.Identity{}, nil
			})
		w.chat.EXPECT().Disconnect(anything, anything, ports.Left).DoAndReturn(
			func(_ context.Context, id domain.SessionID, _ ports.Departure) domain.Absence {
				assert.Equal(t, opened, id)
				return domain.Absence{}
			})
		c := w.open("", nil)
		c.send(`40{"token":"good"}`)
		c.connected()
		c.expect("41")
		synctest.Wait()
		assert.Zero(t, w.hub.Sockets())
	})

	t.Run("a session that was refused is forgotten", func(t *testing.T) {
		for name, refuse := range map[string]func() (domain.Identity, error){
			"with an error": func() (domain.Identity, error) {
				return domain.Identity{}, domain.Errorf(domain.CodeUnauthorized, "no")
			},
			"by a panic": func() (domain.Identity, error) { panic("no") },
		} {
			bubble(t, name, func(t *testing.T) {
				w := serve(t, socketio.Config{})
				w.chat.EXPECT().Connect(anything, anything, "bad").DoAndReturn(
					func(context.Context, domain.SessionID, string) (domain.Identity, error) { return refuse() })
				c := w.open("", nil)
				c.send(`40{"token":"bad"}`)
				assert.Contains(t, c.next(), "44{")
				synctest.Wait()
				assert.Zero(t, w.hub.Sockets())
			})
		}
	})
}
