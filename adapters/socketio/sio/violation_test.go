package sio_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

// step is what a client does: it sends a text, or bytes.
type step any

func (c *client) do(steps ...step) {
	for _, s := range steps {
		switch s := s.(type) {
		case string:
			c.send(s)
		case []byte:
			c.sendBinary(s...)
		}
	}
}

// violations are packets for which the reference server closes the whole connection, and packets that have brought down
// other servers. Unless fresh, the client is connected to "/" before.
var violations = []struct {
	name  string
	fresh bool
	steps []step
}{
	{name: "an event before CONNECT", fresh: true, steps: []step{`42["e"]`}},
	{name: "an ack before CONNECT", fresh: true, steps: []step{`430[]`}},
	{name: "a goodbye before CONNECT", fresh: true, steps: []step{"41"}},
	{name: "a binary event before CONNECT", fresh: true, steps: []step{`451-["e",{"_placeholder":true,"num":0}]`, []byte{1}}},
	{name: "a binary event before CONNECT, of which nothing is kept", fresh: true, steps: []step{`451-["e",{"_placeholder":true,"num":0}]`}},
	{name: "an event in a namespace never joined", steps: []step{`42/a,["e"]`}},
	{name: "an event in a namespace that does not exist", steps: []step{`42/x,["e"]`}},
	{name: "an event in a namespace just left", steps: []step{"40/a,", "41/a,", `42/a,["e"]`}},
	{name: "CONNECT with a string", fresh: true, steps: []step{`40"abc"`}},
	{name: "CONNECT with an array", fresh: true, steps: []step{`40[1]`}},
	{name: "CONNECT with an empty array", fresh: true, steps: []step{`40[]`}},
	{name: "CONNECT with a number behind its id", fresh: true, steps: []step{`40 1`}},
	{name: "CONNECT with half an object", fresh: true, steps: []step{`40{"token":`}},
	{name: "CONNECT of a namespace with a string", fresh: true, steps: []step{`40/a,"invalid"`}},
	{name: "a second CONNECT", steps: []step{"40"}},
	{name: "a second CONNECT elsewhere", steps: []step{"40/a,", "40/a,{}"}},
	{name: "a goodbye with an object", steps: []step{"41{}"}},
	{name: "a goodbye elsewhere with an object", steps: []step{"40/a,", "41/a,{}"}},
	{name: "CONNECT_ERROR from a client", steps: []step{`44{"message":"x"}`}},
	{name: "an event with an object", steps: []step{"42{}"}},
	{name: "an event without a payload before CONNECT", fresh: true, steps: []step{"42"}},
	{name: "an event without a name", steps: []step{"42[]"}},
	{name: "an event whose name is an object", steps: []step{`42[{"toString":"foo"}]`}},
	{name: "an event whose name is true", steps: []step{`42[true,"x"]`}},
	{name: "an event whose name is null", steps: []step{`42[null,"bar"]`}},
	{name: "an event whose name is an array", steps: []step{`42[["e"]]`}},
	{name: "an event cut off", steps: []step{`42["some","data"`}},
	{name: "an event with something behind", steps: []step{`42["e"]x`}},
	{name: "an ack with an object", steps: []step{`430{}`}},
	{name: "an ack id out of range", steps: []step{`4218446744073709551616["e"]`}},
	{name: "more arguments than anybody needs", steps: []step{`42["e"` + strings.Repeat(",0", 1024) + `]`}},
	{name: "a packet type that is not there", steps: []step{"47"}},
	{name: "a packet type in letters", steps: []step{"4x"}},
	{name: "an empty packet", steps: []step{"4"}},
	{name: "a number alone", steps: []step{"4999"}},
	{name: "binary data that nobody announced", steps: []step{[]byte{1}}},
	{name: "empty binary data that nobody announced", steps: []step{[]byte{}}},
	{name: "no attachments announced", steps: []step{`450-["e"]`}},
	{name: "eleven attachments announced", steps: []step{`4511-["e",{"_placeholder":true,"num":0}]`}},
	{name: "very many attachments announced", steps: []step{`45999999999-["e"]`}},
	{name: "attachments without a number", steps: []step{`45["e"]`}},
	{name: "attachments without a dash", steps: []step{`451["e"]`}},
	{name: "attachments in letters", steps: []step{`45a-["e"]`}},
	{name: "attachments with a fraction", steps: []step{`451.2-["e"]`}},
	{name: "a negative number of attachments", steps: []step{`45-1-["e"]`}},
	{name: "text while an attachment is awaited", steps: []step{`451-["e",{"_placeholder":true,"num":0}]`, `42["e"]`}},
	{name: "one attachment too many", steps: []step{`451-["e",{"_placeholder":true,"num":0}]`, []byte{1}, []byte{2}}},
	{name: "an index as text", steps: []step{`451-["e",{"_placeholder":true,"num":"splice"}]`, []byte{1}}},
	{name: "an index that names nothing", steps: []step{`451-["e",{"_placeholder":true,"num":1}]`, []byte{1}}},
	{name: "a negative index", steps: []step{`451-["e",{"_placeholder":true,"num":-1}]`, []byte{1}}},
	{name: "half an index", steps: []step{`451-["e",{"_placeholder":true,"num":0.5}]`, []byte{1}}},
	{name: "an endless index", steps: []step{`451-["e",{"_placeholder":true,"num":1e999}]`, []byte{1}}},
	{name: "a bad index in an ack", steps: []step{`461-0[{"_placeholder":true,"num":7}]`, []byte{1}}},
}

func TestViolation(t *testing.T) {
	for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
		violations = append(violations, struct {
			name  string
			fresh bool
			steps []step
		}{name: "the reserved event " + name, steps: []step{fmt.Sprintf(`42["%s","x"]`, name)}})
	}
	for _, tc := range violations {
		bubble(t, tc.name+" closes that connection and no other", func(t *testing.T) {
			var d diary
			w := serve(t, sio.Config{}, watched(&d, "/", "/a"))
			beside := w.connect()
			assert.Equal(t, []string{"/: connect"}, d.read())
			c := w.open()
			want := []string(nil)
			if !tc.fresh {
				c.send("40")
				c.connected("")
				want = []string{"/: connect", "/: forced close"}
			}
			c.do(tc.steps...)
			synctest.Wait()
			for _, m := range c.rest() {
				require.Regexp(t, `^40/a,\{"sid":`, m)
			}
			var got []string
			for _, line := range d.read() {
				if !strings.HasPrefix(line, "/a: ") && line != "/: event e" {
					got = append(got, line)
				}
			}
			assert.Equal(t, want, got)
			assert.Equal(t, 1, w.io.Len())
			beside.send(`421["echo","still here"]`)
			beside.expect(`431["still here"]`)
			assert.Empty(t, w.logs.String())
		})
	}
}

func TestOnViolation(t *testing.T) {
	violated := func(d *diary) func(*sio.Server) {
		return func(io *sio.Server) {
			for _, name := range []string{"/", "/a", "/b"} {
				watch(d, io.Of(name))
				io.Of(name).OnViolation(func(_ context.Context, s *sio.Socket, err error) {
					d.add("%s: %v", name, err)
					assert.NoError(t, s.Emit("violation"))
					if name == "/b" {
						panic("boom")
					}
				})
			}
		}
	}

	bubble(t, "OnViolation is called in every namespace that the client is in, and may emit", func(t *testing.T) {
		var d diary
		c := serve(t, sio.Config{}, violated(&d)).connect()
		c.send("40/a,")
		c.connected("/a,")
		c.send("42{}", `42["late"]`)
		c.expect(`42["violation"]`, `42/a,["violation"]`)
		c.expectClose()
		assert.ElementsMatch(t, []string{
			"/: connect", "/a: connect", "/: packet: invalid payload", "/a: packet: invalid payload", "/: forced close", "/a: forced close",
		}, d.read())
	})

	bubble(t, "OnViolation is not called for a client in no namespace", func(t *testing.T) {
		var d diary
		c := serve(t, sio.Config{}, violated(&d)).open()
		c.send(`42["e"]`)
		c.expectClose()
		assert.Empty(t, d.read())
	})

	bubble(t, "the connection is closed even if OnViolation panics", func(t *testing.T) {
		var d diary
		w := serve(t, sio.Config{}, violated(&d))
		c := w.open()
		c.send("40/b,")
		c.connected("/b,")
		c.send("40/b,")
		c.expect(`42/b,["violation"]`)
		c.expectClose()
		assert.Equal(t, []string{"/b: connect", "/b: sio: second CONNECT to a namespace", "/b: forced close"}, d.read())
		assert.Contains(t, w.logs.String(), "boom")
	})
}

func TestTolerated(t *testing.T) {
	for name, steps := range map[string][]step{
		"an object that only looks like a placeholder": {`451-["e",{"_placeholder":"true","num":9},{"_placeholder":true,"num":0}]`, []byte{1}},
		"two placeholders for one attachment":          {`451-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`, []byte{1}},
		"an attachment without a placeholder":          {`451-["e"]`, []byte{1}},
		"a placeholder in an event without attachments": {
			`42["e",{"_placeholder":true,"num":5}]`,
		},
		"an event named like a property of every object": {`42["hasOwnProperty"]`, `42["constructor",{"__proto__":1}]`},
		"ten attachments": {
			`4510-["e"]`, []byte{0}, []byte{1}, []byte{2}, []byte{3}, []byte{4}, []byte{5}, []byte{6}, []byte{7}, []byte{8}, []byte{9},
		},
		"a very long event name":      {`42["` + strings.Repeat("n", 100_000) + `"]`},
		"an event without a payload":  {"42", "425", "451-", []byte{1}},
		"white space around payloads": {"42 \r\n", "40/a, ", "42\t[ \"e\" ]\n", "451- [\"e\"] ", []byte{1}, "43 []"},
		"the engine's noop":           {"6"},
		"a pong nobody asked for":     {"3"},
		"a namespace of 100,000 a's":  {"40/" + strings.Repeat("a", 100_000) + ","},
	} {
		bubble(t, "a client may send "+name, func(t *testing.T) {
			c := serve(t, sio.Config{}, func(io *sio.Server) { echo(io.Of("/")) }).connect()
			c.do(steps...)
			c.send(`427["echo"]`)
			m := c.next()
			if strings.HasPrefix(m, "44/a") {
				m = c.next()
			}
			assert.Equal(t, "437[]", m)
		})
	}
}
