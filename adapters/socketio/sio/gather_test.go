package sio_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

func TestGather(t *testing.T) {
	bubble(t, "Gather is done in time although a socket is listed twice, which is asked once", func(t *testing.T) {
		var all crowd
		var got []sio.Answer
		w := serve(t, sio.Config{}, func(io *sio.Server) { all.gather(io.Of("/")) })
		c := w.connect()
		s := all.last()
		twice := slices.Values([]*sio.Socket{s, s})
		require.NoError(t, sio.Gather("/", twice, time.Second, func(answers []sio.Answer) { got = answers }, "vote"))
		id := c.asked(`42["vote"]`)
		c.quiet()
		c.send("43" + id + `["yes"]`)
		all.last()
		require.Len(t, got, 2)
		assert.ErrorIs(t, got[0].Err, sio.ErrTooManyAsks)
		assert.JSONEq(t, `"yes"`, string(got[1].Reply.Args[0]))
	})
}
