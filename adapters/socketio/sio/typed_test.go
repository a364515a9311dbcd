package sio_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/sio"
)

func TestTyped(t *testing.T) {
	type pair struct{ A, B int }
	add := sio.Typed(func(_ context.Context, e *sio.Event, p pair) error {
		if p.A < 0 {
			return errors.New("too small")
		}
		return e.Ack(p.A + p.B)
	})

	bubble(t, "a typed handler gets the decoded argument, and OnError gets what goes wrong", func(t *testing.T) {
		c := serve(t, sio.Config{}, func(io *sio.Server) {
			n := io.Of("/")
			n.On("add", add)
			n.OnError(func(_ context.Context, e *sio.Event, err error) {
				assert.NoError(t, e.Ack(e.Name, err.Error()))
			})
		}).connect()
		c.send(`421["add",{"a":1,"b":2},"more"]`, `422["add",{"a":-1}]`, `423["add"]`, `424["add",{"a":"x"}]`)
		c.expect(`431[3]`, `432["add","too small"]`, `433["add","sio: 0 arguments, want 1"]`)
		assert.Contains(t, c.next(), `434["add","json: cannot unmarshal string`)
	})

	bubble(t, "without OnError a failure is silent", func(t *testing.T) {
		c := serve(t, sio.Config{}, func(io *sio.Server) {
			io.Of("/").On("add", add)
			echo(io.Of("/"))
		}).connect()
		c.send(`421["add"]`, `422["echo"]`)
		c.expect(`432[]`)
	})
}
