package msgpack_test

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio/msgpack"
	"parley/adapters/socketio/sio/packet"
)

// withData is the frame of a packet of type t in "/" with data in MessagePack.
func withData(t packet.Type, data string) []byte {
	return []byte("\x83\xa4type" + string(rune(t)) + "\xa3nsp\xa1/\xa4data" + data)
}

// withArg is the frame of an event "a" with one argument.
func withArg(arg string) []byte { return withData(packet.Event, "\x92\xa1a"+arg) }

func TestDecode(t *testing.T) {
	t.Run("the packet does not alias the frame", func(t *testing.T) {
		frame := []byte("\x84\xa4type\x02\xa3nsp\xa5/chat\xa2id\x07\xa4data\x93\xa1a\xa5hello\xc4\x03one")
		p, err := msgpack.Decode(frame)
		require.NoError(t, err)
		clear(frame)
		assert.Equal(t, packet.Packet{
			Type: packet.Event, Namespace: "/chat", ID: 7, HasID: true, Attachments: 1,
			Data: []byte(`["a","hello",{"_placeholder":true,"num":0}]`), Buffers: [][]byte{[]byte("one")},
		}, p)
	})

	t.Run("attachments do not share memory, and an empty one is not nil", func(t *testing.T) {
		p, err := msgpack.Decode(withArg("\x92\xc4\x01a\xc4\x00"))
		require.NoError(t, err)
		assert.Equal(t, [][]byte{[]byte("a"), {}}, append([][]byte(nil), p.Buffers...))
		_ = append(p.Buffers[0], 'x')
		assert.Empty(t, p.Buffers[1])
	})

	t.Run("Bind finds the attachments", func(t *testing.T) {
		p, err := msgpack.Decode(withArg("\x82\xa4name\xa1f\xa4data\xc4\x03png"))
		require.NoError(t, err)
		args, err := p.Args(nil)
		require.NoError(t, err)
		var file struct {
			Name string
			Data packet.Binary
		}
		require.NoError(t, packet.Bind(args[1], p.Buffers, &file))
		assert.Equal(t, "f", file.Name)
		assert.Equal(t, "png", string(file.Data))
	})

	t.Run("binary data beside the data of the packet is dropped", func(t *testing.T) {
		p, err := msgpack.Decode([]byte("\x84\xa1x\xc4\x01a\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1a\xc4\x01b"))
		require.NoError(t, err)
		assert.Equal(t, [][]byte{[]byte("b")}, p.Buffers)
	})

	t.Run("what looks like a placeholder beside the data of the packet does not matter", func(t *testing.T) {
		_, err := msgpack.Decode([]byte("\x84\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1a\xc4\x01b\xa1x\x81\xac_placeholder\xc3"))
		require.NoError(t, err)
	})

	t.Run("of repeated members the last one counts", func(t *testing.T) {
		first, second := "\xa4data\x93\xa1a\xc4\x01x\x81\xac_placeholder\xc3", "\xa4data\x92\xa1b\xc4\x01y"
		p, err := msgpack.Decode([]byte("\x86" + first + "\xa2id\x05\xa4type\x02\xa3nsp\xa1/" + second + "\xa2id\xd4\x00\x00"))
		require.NoError(t, err)
		assert.Equal(t, packet.Packet{
			Type: packet.Event, Namespace: "/", Attachments: 1,
			Data: []byte(`["b",{"_placeholder":true,"num":0}]`), Buffers: [][]byte{[]byte("y")},
		}, p)
	})

	t.Run("the biggest ack id is read", func(t *testing.T) {
		p, err := msgpack.Decode([]byte("\x84\xa4type\x03\xa3nsp\xa1/\xa4data\x90\xa2id\xcf\xff\xff\xff\xff\xff\xff\xff\xff"))
		require.NoError(t, err)
		assert.Equal(t, uint64(1<<64-1), p.ID)
	})

	t.Run("a namespace in escapes is read", func(t *testing.T) {
		p, err := msgpack.Decode([]byte("\x82\xa4type\x00\xa3nsp\xa5/a\"\xc3\xa9"))
		require.NoError(t, err)
		assert.Equal(t, `/a"é`, p.Namespace)
	})

	t.Run("a query makes another namespace of the root", func(t *testing.T) {
		p, err := msgpack.Decode([]byte("\x82\xa4type\x00\xa3nsp\xa3/?x"))
		require.NoError(t, err)
		assert.Equal(t, "/?x", p.Namespace)
	})
}

func TestDecode_Timestamps(t *testing.T) {
	for name, test := range map[string]struct{ ext, want string }{
		"32 bits":                           {"\xd6\xff\x65\x53\xf1\x00", `"2023-11-14T22:13:20.000Z"`},
		"32 bits hold the year 2106":        {"\xd6\xff\xff\xff\xff\xff", `"2106-02-07T06:28:15.000Z"`},
		"64 bits have nanoseconds":          {"\xd7\xff\x1d\x95\xba\x00\x65\x53\xf1\x00", `"2023-11-14T22:13:20.124Z"`},
		"64 bits hold 34 bits of seconds":   {"\xd7\xff\x00\x00\x00\x03\xff\xff\xff\xff", `"2514-05-30T01:53:03.000Z"`},
		"96 bits before 1970":               {"\xc7\x0c\xff\x00\x0f\x42\x40\xff\xff\xff\xff\xff\xff\xff\xff", `"1969-12-31T23:59:59.001Z"`},
		"96 bits beyond JavaScript's dates": {"\xc7\x0c\xff\x00\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff", `null`},
		"more nanoseconds than a second":    {"\xc7\x0c\xff\x3b\x9a\xca\x00\x00\x00\x00\x00\x00\x00\x00\x00", `null`},
		"another size is no timestamp":      {"\xd5\xff\x00\x00", `[-1,{"_placeholder":true,"num":0}]`},
	} {
		t.Run("reads a timestamp: "+name, func(t *testing.T) {
			p, err := msgpack.Decode(withArg(test.ext))
			require.NoError(t, err)
			assert.Equal(t, `["a",`+test.want+`]`, string(p.Data))
		})
	}
}

func TestDecode_Refuses(t *testing.T) {
	nested := func(depth int) string { return strings.Repeat("\x91", depth-1) + "\x90" }
	maps := func(depth int) string { return strings.Repeat("\x81\xa1k", depth-1) + "\x80" }
	for name, test := range map[string]struct {
		frame []byte
		want  error
	}{
		"nothing":                                 {nil, msgpack.ErrMalformed},
		"what is not a map":                       {[]byte("\x92\xa4type\x02"), msgpack.ErrMalformed},
		"a second value":                          {append(withArg("\x01"), 0xc0), msgpack.ErrMalformed},
		"more members than there are bytes":       {[]byte("\xdf\xff\xff\xff\xff\xa4type\x02"), msgpack.ErrMalformed},
		"more elements than there are bytes":      {withArg("\xdd\xff\xff\xff\xff\x00"), msgpack.ErrMalformed},
		"a longer string than there are bytes":    {withArg("\xdb\xff\xff\xff\xff\x00"), msgpack.ErrMalformed},
		"longer binary data than there are bytes": {withArg("\xc6\xff\xff\xff\xff\x00"), msgpack.ErrMalformed},
		"a longer extension than there are bytes": {withArg("\xc9\xff\xff\xff\xff\x00"), msgpack.ErrMalformed},
		"the prefix that is never used":           {withArg("\xc1"), msgpack.ErrMalformed},
		"a key that is nil":                       {withArg("\x81\xc0\x01"), msgpack.ErrMalformed},
		"a key that is a map":                     {withArg("\x81\x80\x01"), msgpack.ErrMalformed},
		"a key that is binary":                    {withArg("\x81\xc4\x01a\x01"), msgpack.ErrMalformed},
		"a member of the frame named by an array": {[]byte("\x83\x90\x01\xa4type\x00\xa3nsp\xa1/"), msgpack.ErrMalformed},
		"no type":                                  {[]byte("\x81\xa3nsp\xa1/"), packet.ErrUnknownType},
		"BINARY_EVENT":                             {withData(packet.BinaryEvent, "\x91\xa1a"), packet.ErrUnknownType},
		"BINARY_ACK":                               {withData(packet.BinaryAck, "\x90"), packet.ErrUnknownType},
		"no namespace":                             {[]byte("\x82\xa4type\x02\xa4data\x91\xa1a"), msgpack.ErrInvalidNamespace},
		"an ack id beyond 64 bits":                 {[]byte("\x84\xa4type\x03\xa3nsp\xa1/\xa4data\x90\xa2id\xcb\x44\x00\x00\x00\x00\x00\x00\x00"), packet.ErrIllegalID},
		"arrays nested too deep":                   {withData(packet.Event, "\x92\xa1a"+nested(msgpack.MaxDepth)), msgpack.ErrTooDeep},
		"maps nested too deep":                     {withData(packet.Event, "\x92\xa1a"+maps(msgpack.MaxDepth)), msgpack.ErrTooDeep},
		"options nested too deep":                  {[]byte("\x83\xa7options" + nested(msgpack.MaxDepth+1) + "\xa4type\x00\xa3nsp\xa1/"), msgpack.ErrTooDeep},
		"more binary data than a packet has":       {withArg("\x9b" + strings.Repeat("\xc4\x00", 11)), packet.ErrTooManyAttachments},
		"more binary data than options have":       {[]byte("\x83\xa7options\x9b" + strings.Repeat("\xc4\x00", 11) + "\xa4type\x00\xa3nsp\xa1/"), packet.ErrTooManyAttachments},
		"what looks like a placeholder beside one": {withArg("\x92\x81\xac_placeholder\xc3\xc4\x00"), packet.ErrIllegalAttachments},
		"a CONNECT with binary data":               {withData(packet.Connect, "\xc4\x01a"), packet.ErrInvalidPayload},
		"an ACK with an object":                    {withData(packet.Ack, "\x80"), packet.ErrInvalidPayload},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			p, err := msgpack.Decode(test.frame)
			require.ErrorIs(t, err, test.want)
			assert.Equal(t, packet.Packet{}, p)
		})
	}

	for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
		t.Run("an event with the reserved name "+name+" is refused", func(t *testing.T) {
			_, err := msgpack.Decode(withData(packet.Event, "\x91"+string([]byte{0xa0 | byte(len(name))})+name))
			require.ErrorIs(t, err, packet.ErrInvalidPayload)
		})
	}
}

func TestDecode_AcceptsUpToItsLimits(t *testing.T) {
	t.Run("values of the greatest depth are accepted", func(t *testing.T) {
		deep := strings.Repeat("\x91", msgpack.MaxDepth-2) + "\x90"
		p, err := msgpack.Decode(withArg(deep))
		require.NoError(t, err)
		assert.Equal(t, msgpack.MaxDepth, strings.Count(string(p.Data), "["))
	})

	t.Run("the greatest number of attachments is accepted", func(t *testing.T) {
		p, err := msgpack.Decode(withArg("\x9a" + strings.Repeat("\xc4\x00", packet.MaxAttachments)))
		require.NoError(t, err)
		assert.Len(t, p.Buffers, packet.MaxAttachments)
	})

	t.Run("what looks like a placeholder and has none beside it stays as it is", func(t *testing.T) {
		p, err := msgpack.Decode(withArg("\x82\xac_placeholder\xc3\xa3num\x00"))
		require.NoError(t, err)
		assert.Zero(t, p.Attachments)
		var arg any
		args, err := p.Args(nil)
		require.NoError(t, err)
		require.NoError(t, packet.Bind(args[1], p.Buffers, &arg))
		assert.Equal(t, map[string]any{"_placeholder": true, "num": 0.0}, arg)
	})

	t.Run("a placeholder that is not true is an object, beside binary data too", func(t *testing.T) {
		p, err := msgpack.Decode(withArg("\x92\x83\xac_placeholder\xc3\xac_placeholder\xc2\xa3num\x09\xc4\x00"))
		require.NoError(t, err)
		assert.Equal(t, 1, p.Attachments)
	})
}

// TestDecode_Cut cuts whole frames everywhere.
func TestDecode_Cut(t *testing.T) {
	for _, s := range readGolden(t).Packets {
		for n := range len(s.Frame) {
			_, err := msgpack.Decode(s.Frame[:n])
			require.ErrorIs(t, err, msgpack.ErrMalformed, "%s, %d bytes", s.Name, n)
		}
	}
}

func TestDecode_Strings(t *testing.T) {
	for in, want := range map[string]string{
		"plain <>&":            "plain <>&",
		"\"\\\b\f\n\r\t\x00":   "\"\\\b\f\n\r\t\x00",
		"é€😀\u2028\ufffd":      "é€😀\u2028\ufffd",
		"\xff":                 "\ufffd",
		"a\xc3":                "a\ufffd",
		"\xed\xa0\x80":         "\ufffd\ufffd\ufffd",
		"\xf4\x90\x80\x80 \"x": "\ufffd\ufffd\ufffd\ufffd \"x",
	} {
		p, err := msgpack.Decode(withArg(string([]byte{0xa0 | byte(len(in))}) + in))
		require.NoError(t, err)
		var got []string
		require.NoError(t, json.Unmarshal(p.Data, &got))
		assert.Equal(t, []string{"a", want}, got)
	}
}

// TestDecode_Memory: the worst frames cost memory in proportion to their bytes.
func TestDecode_Memory(t *testing.T) {
	const size = 1 << 16
	long := func(code, item string) string {
		n := size / len(item)
		return string([]byte{code[0], byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + strings.Repeat(item, n)
	}
	for name, arg := range map[string]string{
		"false":              long("\xdd", "\xc2"),
		"control characters": long("\xdb", "\x01"),
		"bad UTF-8":          long("\xdb", "\xff"),
		"float 32":           long("\xdd", "\xca\x80\x00\x00\x01"),
		"float 64":           long("\xdd", "\xcb\x80\x00\x00\x00\x00\x00\x00\x01"),
		"empty keys":         long("\xdf", "\xa0\xc2"),
		"undefined":          long("\xdd", "\xd4\x00\x00"),
		"dates":              long("\xdd", "\xd7\x00\x00\x1e\xb2\x08\xc2\xdc\x00\x00"),
		"arrays":             long("\xdd", "\x91\x90"),
		"binary data":        "\xc6\x00\x01\x00\x00" + strings.Repeat("x", size),
	} {
		t.Run("the memory is linear for "+name, func(t *testing.T) {
			frame := withArg(arg)
			var p packet.Packet
			var err error
			cost := allocated(func() { p, err = msgpack.Decode(frame) })
			require.NoError(t, err)
			assert.Less(t, len(p.Data), 6*len(frame)+64)
			assert.Less(t, cost, 40*uint64(len(frame)), "everything ever allocated, growing included")
		})
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
