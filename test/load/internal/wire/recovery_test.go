package wire_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/wire"
)

func TestScanOffset(t *testing.T) {
	for body, want := range map[string]string{
		`["message",{"seq":1},"abc"]`:   "abc",
		`["message",{"a":"b"},"x.1-0"]`: "x.1-0",
		`["alone"]`:                     "alone", // socket.io-client takes it, too
		`["e","a\"b"]`:                  `a"b`,
		`["e","a\\"]`:                   `a\`,
	} {
		got, ok := wire.ScanOffset([]byte(body))
		assert.True(t, ok, body)
		assert.Equal(t, want, string(got), body)
	}
	for _, body := range []string{``, `[]`, `"]`, `["message",{"seq":1}]`, `["e","text",1]`, `["e",["x"]]`} {
		_, ok := wire.ScanOffset([]byte(body))
		assert.False(t, ok, body)
	}
}

func FuzzScanOffset(f *testing.F) {
	for _, seed := range []string{`["message",{"seq":1},"abc"]`, `["e","a\"b"]`, `"]`, `\"]`, `["e","\u0061"]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, ok := wire.ScanOffset(body)
		var args []any
		if !utf8.Valid(body) || json.Unmarshal(body, &args) != nil || len(args) == 0 {
			return
		}
		if last, isString := args[len(args)-1].(string); ok && isString {
			assert.Equal(t, last, string(got))
		}
	})
}

func TestConnected(t *testing.T) {
	c, err := wire.DecodeConnected([]byte(`{"sid":"a","pid":"b"}`))
	require.NoError(t, err)
	assert.Equal(t, wire.Connection{SID: "a", PID: "b"}, c)
	_, err = wire.DecodeConnected([]byte(`{`))
	require.Error(t, err)

	assert.Equal(t, `40{"token":"t"}`, string(wire.AppendConnect(nil, "t", "", "o")))
	assert.Equal(t, `40{"pid":"p","token":"t"}`, string(wire.AppendConnect(nil, "t", "p", "")))
	assert.Equal(t, `40{"pid":"p","offset":"o","token":"t"}`, string(wire.AppendConnect(nil, "t", "p", "o")))
}
