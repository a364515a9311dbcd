package sio_test

import (
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

func TestRecovery_hostile(t *testing.T) {
	bubble(t, "a client that shows no proper pid connects anew", func(t *testing.T) {
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

	bubble(t, "a pid may be written with escapes", func(t *testing.T) {
		w, _ := recoverable(t)
		c, i := w.join()
		c.drop()
		again := w.open()
		again.send(`40{"\u0070id":"` + i.pid + `"}`)
		assert.Equal(t, i.sid, again.accepted("").sid)
	})

	bubble(t, "an offset from long ago, or of another client, leaves no gap", func(t *testing.T) {
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
			again := w.doesNotRecover(i)
			again.quiet()
		}
	})

	bubble(t, "a pid of another namespace is not accepted, and the socket there is unharmed", func(t *testing.T) {
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

	bubble(t, "the connection's own pid makes a second CONNECT, which is a violation", func(t *testing.T) {
		w, _ := recoverable(t)
		c, i := w.join()
		c.send("40" + i.payload())
		c.expectClose()
		w.recovers(i)
	})

	t.Run("an absent socket holds no memory of an unfinished binary packet", func(t *testing.T) {
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
