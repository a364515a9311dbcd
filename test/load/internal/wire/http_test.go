package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/wire"
)

const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n4ab\r\n2;x=y\r\ncd\r\n0\r\n\r\n"

func TestCutResponse(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want wire.Response
	}{
		"with a length":              {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n4hi", wire.Response{Status: 200, Body: []byte("4hi")}},
		"with names in small":        {"HTTP/1.1 400 Bad Request\r\ncontent-length:2\r\nconnection: Close\r\n\r\nno", wire.Response{Status: 400, Close: true, Body: []byte("no")}},
		"without a body":             {"HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", wire.Response{Status: 204, Body: []byte{}}},
		"in chunks":                  {chunked, wire.Response{Status: 200, Body: []byte("4abcd")}},
		"with nothing in its chunks": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", wire.Response{Status: 200}},
	} {
		t.Run("a response "+name+" is cut, and not before it is whole", func(t *testing.T) {
			for n := range len(c.text) {
				_, took, err := wire.CutResponse([]byte(c.text[:n]))
				require.NoError(t, err)
				require.Zero(t, took, "%d bytes", n)
			}
			r, took, err := wire.CutResponse([]byte(c.text + "HTTP/1.1"))
			require.NoError(t, err)
			assert.Equal(t, len(c.text), took)
			assert.Equal(t, c.want, r)
		})
	}
	for name, text := range map[string]string{
		"of another version":         "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
		"without a status":           "HTTP/1.1 xyz\r\nContent-Length: 0\r\n\r\n",
		"that is only the first":     "HTTP/1.1 100 Continue\r\n\r\n",
		"without a length":           "HTTP/1.1 200 OK\r\n\r\n",
		"of a negative length":       "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"of a length far too large":  "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
		"that is compressed":         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Encoding: gzip\r\n\r\nx",
		"with a broken chunk":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n\r\n",
		"with a chunk that is short": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
		"whose head never ends":      "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 20_000),
	} {
		t.Run("a response "+name+" is an error", func(t *testing.T) {
			_, _, err := wire.CutResponse([]byte(text))
			assert.Error(t, err)
		})
	}
}

func TestCutPacket(t *testing.T) {
	packet, rest, more := wire.CutPacket([]byte("2\x1e42[]"))
	assert.Equal(t, []string{"2", "42[]"}, []string{string(packet), string(rest)})
	assert.True(t, more)
	packet, rest, more = wire.CutPacket(rest)
	assert.Equal(t, "42[]", string(packet))
	assert.Empty(t, rest)
	assert.False(t, more)
}

// What is cut does not depend on what follows it, and nothing shorter is taken for a whole response.
func FuzzCutResponse(f *testing.F) {
	f.Add([]byte(chunked))
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n4hi"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, n, err := wire.CutResponse(b)
		if err != nil || n == 0 {
			return
		}
		require.LessOrEqual(t, n, len(b))
		again, m, err := wire.CutResponse(b[:n:n])
		require.NoError(t, err)
		require.Equal(t, n, m)
		require.Equal(t, r, again)
		_, short, err := wire.CutResponse(b[: n-1 : n-1])
		require.NoError(t, err)
		require.Zero(t, short)
	})
}
