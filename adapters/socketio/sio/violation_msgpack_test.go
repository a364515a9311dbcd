package sio_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/sio"
)

// frame returns a MessagePack map of the given members, each as it is on the wire.
func frame(members ...string) []byte {
	all := []byte{0x80 | byte(len(members))}
	for _, m := range members {
		all = append(all, m...)
	}
	return all
}

// Members of a frame.
const (
	mEvent   = "\xa4type\x02"
	mConnect = "\xa4type\x00"
	mRoot    = "\xa3nsp\xa1/"
	mName    = "\xa4data\x91\xa1e"
	mNothing = "\xa4data\x80"
)

// packedViolations are what a client with msgpack may do wrong. Unless fresh, it is connected to "/" before.
var packedViolations = []struct {
	name   string
	fresh  bool
	frames [][]byte
	// err is what OnViolation gets.
	err string
}{
	{"an event before CONNECT", true, [][]byte{frame(mEvent, mName, mRoot)}, ""},
	{"bytes that are no MessagePack, first of all", true, [][]byte{{0xc1}}, ""},
	{"nothing at all, first of all", true, [][]byte{{}}, ""},
	{"half a CONNECT", true, [][]byte{frame(mConnect, mRoot)[:9]}, ""},
	{"CONNECT with an array", true, [][]byte{frame(mConnect, "\xa4data\x90", mRoot)}, ""},
	{"CONNECT with a string", true, [][]byte{frame(mConnect, "\xa4data\xa1x", mRoot)}, ""},
	{"CONNECT with bytes", true, [][]byte{frame(mConnect, "\xa4data\xc4\x01x", mRoot)}, ""},
	{"CONNECT without a namespace", true, [][]byte{frame(mConnect)}, ""},
	{"a namespace that is a number", true, [][]byte{frame(mConnect, "\xa3nsp\x07")}, ""},
	{"a namespace without a slash", true, [][]byte{frame(mConnect, "\xa3nsp\xa1x")}, ""},
	{"a namespace with a comma", true, [][]byte{frame(mConnect, "\xa3nsp\xa3/,x")}, ""},
	{"a second CONNECT", false, [][]byte{frame(mConnect, mRoot)}, "sio: second CONNECT to a namespace"},
	{"an event in a namespace never joined", false, [][]byte{frame(mEvent, mName, "\xa3nsp\xa2/a")}, "sio: packet for a namespace that the client is not in"},
	{"a goodbye with an object", false, [][]byte{frame("\xa4type\x01", mNothing, mRoot)}, "packet: invalid payload"},
	{"CONNECT_ERROR from a client", false, [][]byte{frame("\xa4type\x04", mNothing, mRoot)}, "sio: packet that only servers send"},
	{"a type that only the usual parser has", false, [][]byte{frame("\xa4type\x05", mName, mRoot)}, "packet: unknown packet type"},
	{"a type that is a string", false, [][]byte{frame("\xa4type\xa12", mName, mRoot)}, "packet: unknown packet type"},
	{"a type that is negative", false, [][]byte{frame("\xa4type\xff", mName, mRoot)}, "packet: unknown packet type"},
	{"a type that is a fraction", false, [][]byte{frame("\xa4type\xcb\x40\x04\x00\x00\x00\x00\x00\x00", mName, mRoot)}, "packet: unknown packet type"},
	{"no type", false, [][]byte{frame(mName, mRoot)}, "packet: unknown packet type"},
	{"an event without data", false, [][]byte{frame(mEvent, mRoot)}, "packet: invalid payload"},
	{"an event with an object", false, [][]byte{frame(mEvent, mNothing, mRoot)}, "packet: invalid payload"},
	{"an event without a name", false, [][]byte{frame(mEvent, "\xa4data\x90", mRoot)}, "packet: invalid payload"},
	{"an event whose name is an object", false, [][]byte{frame(mEvent, "\xa4data\x91\x80", mRoot)}, "packet: invalid payload"},
	{"an event whose name is null", false, [][]byte{frame(mEvent, "\xa4data\x91\xc0", mRoot)}, "packet: invalid payload"},
	{"an event whose name is bytes", false, [][]byte{frame(mEvent, "\xa4data\x91\xc4\x01e", mRoot)}, "packet: invalid payload"},
	{"the reserved event connect", false, [][]byte{frame(mEvent, "\xa4data\x91\xa7connect", mRoot)}, "packet: invalid payload"},
	{"an ack with an object", false, [][]byte{frame("\xa4type\x03", mNothing, "\xa2id\x00", mRoot)}, "packet: invalid payload"},
	{"an ack id that is a string", false, [][]byte{frame(mEvent, mName, "\xa2id\xa11", mRoot)}, "packet: illegal ack id"},
	{"an ack id that is negative", false, [][]byte{frame(mEvent, mName, "\xa2id\xff", mRoot)}, "packet: illegal ack id"},
	{"a frame that is an array", false, [][]byte{{0x91, 0x01}}, "msgpack: not exactly one map in MessagePack"},
	{"a frame with something behind", false, [][]byte{append(frame(mEvent, mName, mRoot), 0)}, "msgpack: not exactly one map in MessagePack"},
	{"a key that is an array", false, [][]byte{frame("\x90\x01", mEvent, mName, mRoot)}, "msgpack: not exactly one map in MessagePack"},
	{"a map said to have 4,294,967,295 members", false, [][]byte{{0xdf, 0xff, 0xff, 0xff, 0xff}}, "msgpack: not exactly one map in MessagePack"},
	{"an array said to have 4,294,967,295 elements", false, [][]byte{frame(mEvent, mRoot, "\xa4data\xdd\xff\xff\xff\xff\xa1e")}, "msgpack: not exactly one map in MessagePack"},
	{"bytes said to be 4,294,967,295", false, [][]byte{frame(mEvent, mRoot, "\xa4data\x92\xa1e\xc6\xff\xff\xff\xff")}, "msgpack: not exactly one map in MessagePack"},
	{"arrays in arrays, 100,000 deep", false, [][]byte{frame(mEvent, mRoot, "\xa4data"+string(bytes.Repeat([]byte{0x91}, 100_000))+"\xc0")}, "msgpack: value is nested too deep"},
	{"eleven pieces of binary data", false, [][]byte{frame(mEvent, mRoot, "\xa4data\x9c\xa1e"+string(bytes.Repeat([]byte{0xc4, 0}, 11)))}, "packet: too many attachments"},
	{
		"what looks like binary data beside such", false,
		[][]byte{frame(mEvent, mRoot, "\xa4data\x93\xa1e\xc4\x00\x82\xac_placeholder\xc3\xa3num\x00")},
		"packet: illegal attachments",
	},
	{"more arguments than anybody needs", false, [][]byte{frame(mEvent, mRoot, "\xa4data\xdc\x04\x01\xa1e"+string(make([]byte, 1024)))}, "packet: too many arguments"},
}

func TestViolation_msgpack(t *testing.T) {
	for _, tc := range packedViolations {
		bubble(t, tc.name+" closes that connection and no other", func(t *testing.T) {
			var d diary
			w := serve(t, packing, func(io *sio.Server) {
				watched(&d, "/")(io)
				io.Of("/").OnViolation(func(_ context.Context, _ *sio.Socket, err error) { d.add("%v", err) })
			})
			usual, beside := w.connect(), w.connectPacked()
			c := w.openPacked()
			if !tc.fresh {
				c.send("40")
				c.connected("")
			}
			d.read()
			for _, f := range tc.frames {
				c.sendBinary(f...)
			}
			c.expectClose()
			if got := d.read(); tc.fresh {
				assert.Empty(t, got)
			} else {
				assert.Equal(t, []string{tc.err, "/: forced close"}, got)
			}
			assert.Equal(t, 2, w.io.Len())
			usual.send(`421["echo","still here"]`)
			usual.expect(`431["still here"]`)
			beside.send(`421["echo","still here"]`)
			beside.expect(`431["still here"]`)
			assert.Empty(t, w.logs.String())
		})
	}

	bubble(t, "text from a client that uses msgpack closes its connection", func(t *testing.T) {
		var d diary
		c := serve(t, packing, watched(&d, "/")).connectPacked()
		c.client.send(`42["e"]`)
		c.expectClose()
		assert.Equal(t, []string{"/: connect", "/: forced close"}, d.read())
	})

	bubble(t, "a client that began with text does not change to msgpack", func(t *testing.T) {
		w := serve(t, packing, watched(&diary{}, "/"))
		c := w.connect()
		packed{c}.send("40/a,")
		c.expectClose()
		synctest.Wait()
		assert.Zero(t, w.io.Len())
	})
}
