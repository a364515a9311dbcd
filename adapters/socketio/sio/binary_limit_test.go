package sio_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio"
)

func TestUnfinishedBinaryPacket(t *testing.T) {
	bubble(t, "a client that does not finish a binary packet is closed, although it answers pings", func(t *testing.T) {
		var d diary
		w := serve(t, sio.Config{}, watched(&d, "/"))
		c := w.connect()
		c.send(`452-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
		synctest.Wait()
		<-time.After(59 * time.Second)
		c.quiet()
		c.sendBinary(1)
		synctest.Wait()
		<-time.After(59 * time.Second)
		c.quiet()
		c.expectClose()
		assert.Equal(t, []string{"/: connect", "/: forced close"}, d.read())
	})

	bubble(t, "a binary packet that is finished in time leaves no timer behind", func(t *testing.T) {
		var d diary
		c := serve(t, sio.Config{}, watched(&d, "/")).connect()
		for range 3 {
			c.send(`451-["e",{"_placeholder":true,"num":0}]`)
			c.sendBinary(1)
			synctest.Wait()
			<-time.After(50 * time.Second)
		}
		<-time.After(time.Hour)
		c.quiet()
		assert.Equal(t, []string{"/: connect", "/: event e", "/: event e", "/: event e"}, d.read())
	})
}

func TestBinaryPacketSize(t *testing.T) {
	const large = 10_100_000
	for name, tc := range map[string]struct {
		config engineio.Config
		want   bool
	}{
		"an attachment as large as a message may be is accepted": {engineio.Config{MaxPayload: large}, true},
		"an attachment larger than a message may be is refused":  {engineio.Config{MaxPayload: large - 1}, false},
	} {
		bubble(t, name, func(t *testing.T) {
			var d diary
			w := serve(t, sio.Config{Engine: tc.config}, func(io *sio.Server) {
				io.Of("/").On("put", func(_ context.Context, e *sio.Event) {
					d.add("%d bytes", len(e.Attachments[0]))
				})
			})
			c := w.connect()
			c.send(`451-["put",{"_placeholder":true,"num":0}]`)
			c.sendBinary(make([]byte, large)...)
			if tc.want {
				assert.Equal(t, []string{"10100000 bytes"}, d.read())
				c.quiet()
				return
			}
			c.expectClose()
			assert.Empty(t, d.read())
		})
	}
}
