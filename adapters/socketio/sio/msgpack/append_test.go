package msgpack_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio/msgpack"
	"parley/adapters/socketio/sio/packet"
)

// argument returns in hexadecimal how Append writes the only argument of an event.
func argument(t *testing.T, json string) string {
	t.Helper()
	frame, err := msgpack.Append(nil, packet.Packet{Type: packet.Event, Data: []byte(`["a",` + json + `]`)})
	require.NoError(t, err)
	rest, found := bytes.CutPrefix(frame, []byte("\x83\xa4type\x02\xa4data\x92\xa1a"))
	require.True(t, found, "%x", frame)
	rest, found = bytes.CutSuffix(rest, []byte("\xa3nsp\xa1/"))
	require.True(t, found, "%x", frame)
	return hex.EncodeToString(rest)
}

func TestAppend_Numbers(t *testing.T) {
	for text, want := range map[string]string{
		"0": "00", "-0": "00", "0.0": "00", "-0.0e5": "00", "127": "7f", "128": "cc80", "255": "ccff", "256": "cd0100", "65535": "cdffff",
		"65536": "ce00010000", "4294967295": "ceffffffff", "4294967296": "cf0000000100000000", "9007199254740991": "cf001fffffffffffff",
		"-1": "ff", "-32": "e0", "-33": "d0df", "-128": "d080", "-129": "d1ff7f", "-32768": "d18000", "-32769": "d2ffff7fff",
		"-2147483648": "d280000000", "-2147483649": "d3ffffffff7fffffff", "-9007199254740991": "d3ffe0000000000001",
		// In another notation they are the same numbers.
		"1.0": "01", "1e3": "cd03e8", "10e-1": "01", "-12.50e2": "d1fb1e", "9007199254740991.0": "cf001fffffffffffff",
		// JavaScript has no such integers. testdata/golden.json has what the reference makes of them.
		"9007199254740993": "cf0020000000000001", "9223372036854776000": "cf80000000000000c0", "-9007199254740993": "d3ffdfffffffffffff",
		"18446744073709551615": "cfffffffffffffffff", "-9223372036854775808": "d38000000000000000",
		// All others are floats.
		"18446744073709551616": "cb43f0000000000000", "-9223372036854777856": "cbc3e0000000000001", "9007199254740992.0": "cb4340000000000000",
		"1.5": "cb3ff8000000000000", "-1e-7": "cbbe7ad7f29abcaf48", "1e300": "cb7e37e43c8800759c", "1.7976931348623157e308": "cb7fefffffffffffff",
		"5e-324": "cb0000000000000001", "1e-400": "00", "1e400": "cb7ff0000000000000", "-1e400": "cbfff0000000000000",
	} {
		assert.Equal(t, want, argument(t, text), text)
	}
}

func TestAppend_Lengths(t *testing.T) {
	array := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat("0,", n), ",") + "]" }
	object := func(n int) string { return "{" + strings.TrimSuffix(strings.Repeat(`"":0,`, n), ",") + "}" }
	for name, test := range map[string]struct {
		json, head string
		body       int // bytes behind the head
	}{
		"no string":            {`""`, "a0", 0},
		"31 bytes":             {`"` + strings.Repeat("x", 31) + `"`, "bf", 31},
		"32 bytes":             {`"` + strings.Repeat("x", 32) + `"`, "d920", 32},
		"256 bytes":            {`"` + strings.Repeat("x", 256) + `"`, "da0100", 256},
		"65,535 bytes":         {`"` + strings.Repeat("x", 65535) + `"`, "daffff", 65535},
		"65,536 bytes":         {`"` + strings.Repeat("x", 65536) + `"`, "db00010000", 65536},
		"bytes, not escapes":   {`"` + strings.Repeat(`\u00e9`, 15) + `"`, "be", 30},
		"no element":           {"[ ]", "90", 0},
		"15 elements":          {array(15), "9f", 15},
		"16 elements":          {array(16), "dc0010", 16},
		"65,536 elements":      {array(65536), "dd00010000", 65536},
		"no member":            {"{ }", "80", 0},
		"15 members":           {object(15), "8f", 30},
		"16 members":           {object(16), "de0010", 32},
		"65,536 members":       {object(65536), "df00010000", 131072},
		"space does not count": {"[ 1 ,\n{ \"a\" :\t2 }\r]", "92", 5},
	} {
		t.Run("writes the length of "+name, func(t *testing.T) {
			got := argument(t, test.json)
			assert.Equal(t, test.head, got[:min(len(test.head), len(got))])
			assert.Equal(t, test.body, (len(got)-len(test.head))/2)
		})
	}
}

func TestAppend_Strings(t *testing.T) {
	for text, want := range map[string]string{
		`"a\"\\\/\b\f\n\r\t"`:  "a\"\\/\b\f\n\r\t",
		`"\u00e9\ud83d\ude00"`: "é😀",
		`"\ud800"`:             "\ufffd",
		"\"\xff\"":             "\ufffd",
		`"[,]{:}"`:             "[,]{:}",
	} {
		assert.Equal(t, hex.EncodeToString(append([]byte{0xa0 | byte(len(want))}, want...)), argument(t, text), text)
	}
}

func TestAppend_Binary(t *testing.T) {
	one, two := []byte("one"), make([]byte, 70000)
	appendTo := func(data string, buffers ...[]byte) ([]byte, error) {
		return msgpack.Append(nil, packet.Packet{Type: packet.Event, Attachments: len(buffers), Data: []byte(data), Buffers: buffers})
	}

	t.Run("binary data takes the place of its placeholder", func(t *testing.T) {
		for _, data := range []string{
			`[ "a" , [ ] , { "_placeholder" : true , "num" : 1 } , { "k" : {"num":0e0,"\u005fplaceholder":true} } , [ ] ]`,
			`["a",[],{"_placeholder":true,"num":1},{"k":{"_placeholder":true,"num":0}},[]]`,
			`["a",[],{"_placeholder":true,"num":1,"more":[{}]},{"k":{"num":9,"_placeholder":false,"_placeholder":true,"num":0}},[]]`,
		} {
			frame, err := appendTo(data, one, two)
			require.NoError(t, err)
			want := "\x83\xa4type\x02\xa4data\x95\xa1a\x90\xc6\x00\x01\x11\x70" + string(two) + "\x81\xa1k\xc4\x03one\x90\xa3nsp\xa1/"
			assert.Equal(t, want, string(frame))
		}
	})

	t.Run("a buffer without a placeholder is not sent", func(t *testing.T) {
		frame, err := appendTo(`["a"]`, one)
		require.NoError(t, err)
		assert.NotContains(t, string(frame), "one")
	})

	t.Run("binary data that MarshalArgs took out is put back", func(t *testing.T) {
		data, buffers, err := packet.MarshalArgs("a", map[string]any{"x": one, "y": []any{two, nil}})
		require.NoError(t, err)
		frame, err := appendTo(string(data), buffers...)
		require.NoError(t, err)
		p, err := msgpack.Decode(frame)
		require.NoError(t, err)
		assert.Equal(t, string(data), string(p.Data))
		assert.Equal(t, buffers, p.Buffers)
	})

	t.Run("only true placeholders are replaced by binary data", func(t *testing.T) {
		for _, object := range []string{
			`{"_placeholder":false,"num":0}`, `{"_placeholder":1,"num":0}`, `{"_placeholder":"true","num":0}`,
			`{"num":0,"placeholder":true}`, `{"num":0}`, `{"a":true,"num":0}`, `["_placeholder",true,"num",0]`, `{"_placeholder":{"num":0}}`,
			`{"_placeholder":true,"num":0,"_placeholder":[]}`, `{"a":"_placeholder","b":true,"num":0}`,
		} {
			frame, err := appendTo(`["a",`+object+`]`, one)
			require.NoError(t, err)
			p, err := msgpack.Decode(frame)
			require.NoError(t, err, object)
			assert.Equal(t, `["a",`+object+`]`, string(p.Data))
		}
	})

	t.Run("a placeholder without binary data of its own is refused", func(t *testing.T) {
		for name, data := range map[string]string{
			"beyond the last one": `{"_placeholder":true,"num":1}`,
			"far beyond":          `{"_placeholder":true,"num":1e300}`,
			"at 128":              `{"num":128,"_placeholder":true}`,
			"at -1":               `{"_placeholder":true,"num":-1}`,
			"between two":         `{"_placeholder":true,"num":0.5}`,
			"at a string":         `{"_placeholder":true,"num":"0"}`,
			"without a number":    `{"_placeholder":true}`,
			"at an array":         `{"_placeholder":true,"num":0,"num":[0]}`,
			"by another name":     `{"_placeholder":true,"nums":0}`,
			"at nothing":          `{"_placeholder":true,"num":null}`,
			"at true":             `{"_placeholder":true,"num":true}`,
			"for the second time": `[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`,
		} {
			_, err := appendTo(`["a",`+data+`]`, one)
			require.ErrorIs(t, err, packet.ErrIllegalAttachments, name)
		}
	})
}

func TestAppend_Packets(t *testing.T) {
	for name, test := range map[string]struct {
		p    packet.Packet
		want string
	}{
		"CONNECT":                    {packet.Packet{}, "\x82\xa4type\x00\xa3nsp\xa1/"},
		"CONNECT with its answer":    {packet.Packet{Namespace: "/a", Data: []byte(`{"sid":"x"}`)}, "\x83\xa4type\x00\xa4data\x81\xa3sid\xa1x\xa3nsp\xa2/a"},
		"DISCONNECT":                 {packet.Packet{Type: packet.Disconnect, Namespace: "/é\""}, "\x82\xa4type\x01\xa3nsp\xa4/é\""},
		"EVENT with an ack id":       {packet.Packet{Type: packet.Event, HasID: true, Data: []byte(`["a"]`)}, "\x84\xa4type\x02\xa4data\x91\xa1a\xa2id\x00\xa3nsp\xa1/"},
		"ACK":                        {packet.Packet{Type: packet.Ack, ID: 300, HasID: true, Data: []byte(`[]`)}, "\x84\xa4type\x03\xa4data\x90\xa2id\xcd\x01\x2c\xa3nsp\xa1/"},
		"ACK without payload":        {packet.Packet{Type: packet.Ack, ID: 1, HasID: true}, "\x84\xa4type\x03\xa4data\x90\xa2id\x01\xa3nsp\xa1/"},
		"CONNECT_ERROR":              {packet.Packet{Type: packet.ConnectError, Data: []byte(`"no"`)}, "\x83\xa4type\x04\xa4data\xa2no\xa3nsp\xa1/"},
		"BINARY_EVENT is an EVENT":   {packet.Packet{Type: packet.BinaryEvent, Data: []byte(`["a"]`)}, "\x83\xa4type\x02\xa4data\x91\xa1a\xa3nsp\xa1/"},
		"BINARY_ACK is an ACK":       {packet.Packet{Type: packet.BinaryAck, Data: []byte(`[]`)}, "\x83\xa4type\x03\xa4data\x90\xa3nsp\xa1/"},
		"an ID that counts for none": {packet.Packet{Type: packet.Ack, ID: 1, Data: []byte(`[]`)}, "\x83\xa4type\x03\xa4data\x90\xa3nsp\xa1/"},
	} {
		t.Run("writes "+name, func(t *testing.T) {
			got, err := msgpack.Append([]byte("before"), test.p)
			require.NoError(t, err)
			assert.Equal(t, "before"+test.want, string(got))
		})
	}
}

func TestAppend_Refuses(t *testing.T) {
	event := func(data string) packet.Packet { return packet.Packet{Type: packet.Event, Data: []byte(data)} }
	for name, test := range map[string]struct {
		p    packet.Packet
		want error
	}{
		"an unknown type":               {packet.Packet{Type: 7, Data: []byte(`[]`)}, packet.ErrUnknownType},
		"an EVENT without payload":      {event(``), packet.ErrInvalidPayload},
		"an EVENT with an object":       {event(`{}`), packet.ErrInvalidPayload},
		"an EVENT with half an array":   {event(`["a"`), packet.ErrInvalidPayload},
		"an EVENT with more than JSON":  {event(`["a"],"nsp":"/other"`), packet.ErrInvalidPayload},
		"an EVENT with half a string":   {event(`["a`), packet.ErrInvalidPayload},
		"a DISCONNECT with a payload":   {packet.Packet{Type: packet.Disconnect, Data: []byte(`{}`)}, packet.ErrInvalidPayload},
		"a CONNECT_ERROR without one":   {packet.Packet{Type: packet.ConnectError}, packet.ErrInvalidPayload},
		"a packet that is not whole":    {packet.Packet{Type: packet.BinaryEvent, Attachments: 1, Data: []byte(`["a"]`)}, packet.ErrIllegalAttachments},
		"more attachments than allowed": {packet.Packet{Type: packet.Ack, Buffers: make([][]byte, packet.MaxAttachments+1)}, packet.ErrTooManyAttachments},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			got, err := msgpack.Append([]byte("before"), test.p)
			require.ErrorIs(t, err, test.want)
			assert.Equal(t, "before", string(got))
		})
	}
}

// TestAppend_Linear: neither depth nor the number of containers makes a frame
// more expensive than its bytes.
func TestAppend_Linear(t *testing.T) {
	for name, data := range map[string]string{
		"arrays nested as deep as JSON may be": strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000),
		"nested arrays with long heads":        strings.Repeat("["+strings.Repeat("0,", 20), 9_999) + "[]" + strings.Repeat("]", 9_999),
		"many containers":                      "[" + strings.Repeat("[],", 200_000) + "{}]",
	} {
		t.Run("the cost is linear for "+name, func(t *testing.T) {
			var frame []byte
			var err error
			cost := allocated(func() { frame, err = msgpack.Append(nil, packet.Packet{Type: packet.Event, Data: []byte(data)}) })
			require.NoError(t, err)
			assert.Less(t, len(frame), len(data)+64)
			assert.Less(t, cost, 200*uint64(len(data))+1<<16)
		})
	}
}
