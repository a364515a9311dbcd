package sio_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

// house serves rooms in "/": clients join by "join" and leave by "leave".
func house(t *testing.T, config sio.Config) (*world, *sio.Rooms) {
	t.Helper()
	var rooms *sio.Rooms
	w := serve(t, config, func(io *sio.Server) {
		rooms = io.Of("/").Rooms()
		assert.Same(t, rooms, io.Of("/").Rooms())
		occupy(io.Of("/"))
	})
	return w, rooms
}

func occupy(n *sio.Namespace) {
	n.On("join", sio.Typed(func(_ context.Context, e *sio.Event, names []string) error {
		return e.Ack(n.Rooms().Join(e.Socket, names...))
	}))
	n.On("leave", sio.Typed(func(_ context.Context, e *sio.Event, names []string) error {
		n.Rooms().Leave(e.Socket, names...)
		return e.Ack(true)
	}))
}

// in opens a client that is in rooms: each letter of names is one.
func (w *world) in(names string) *client {
	w.t.Helper()
	c := w.connect()
	c.enter(names)
	return c
}

func (c *client) enter(names string) {
	c.t.Helper()
	list, err := json.Marshal(strings.Split(names, ""))
	require.NoError(c.t, err)
	c.send(`421["join",` + string(list) + `]`)
	c.expect(`431[true]`)
}
