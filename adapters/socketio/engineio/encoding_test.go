package engineio_test

import (
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
)

// decoded returns the body with its Content-Encoding undone.
func decoded(t testing.TB, a answer) string {
	t.Helper()
	body := io.Reader(strings.NewReader(a.body))
	var err error
	switch encoding := a.header.Get("Content-Encoding"); encoding {
	case "gzip":
		body, err = gzip.NewReader(body)
	case "deflate":
		body, err = zlib.NewReader(body)
	default:
		require.Empty(t, encoding)
	}
	require.NoError(t, err)
	plain, err := io.ReadAll(body)
	require.NoError(t, err)
	return string(plain)
}

func TestHTTPCompression_Negotiation(t *testing.T) {
	for accept, want := range map[string]string{
		"gzip":                              "gzip",
		"deflate":                           "deflate",
		"gzip, deflate, br, zstd":           "gzip", // as browsers send it
		"deflate, gzip":                     "deflate",
		"GZIP":                              "gzip",
		"x-gzip":                            "gzip",
		"*":                                 "gzip",
		"*, gzip;q=0":                       "deflate",
		"*;q=0.5, deflate":                  "deflate",
		"*;q=0":                             "",
		"*;q=0, deflate":                    "deflate",
		"br":                                "",
		"br, zstd;q=0.9":                    "",
		"identity":                          "",
		"identity, gzip":                    "gzip",
		"identity;q=0.5, gzip;q=0.4":        "",
		"identity;q=0.4, gzip;q=0.5":        "gzip",
		"identity;q=0, gzip;q=0":            "",
		"gzip;q=0":                          "",
		"gzip;q=0.0, deflate;q=0.000":       "",
		"gzip;q=0, deflate":                 "deflate",
		"gzip;q=0.001":                      "gzip",
		"gzip;q=0.5, deflate;q=0.501":       "deflate",
		"deflate;q=0.5, gzip;q=0.50":        "deflate",
		"gzip ; Q=1.000 ,deflate":           "gzip",
		"gzip;q=0.1, gzip;q=0.9, deflate":   "deflate",
		"gzip;q=2":                          "", // a malformed weight counts as 0
		"gzip;q=-1":                         "",
		"gzip;q=":                           "",
		"gzip;q=0.1234":                     "",
		"gzip;level=9":                      "",
		"gzip;":                             "gzip",
		"":                                  "",
		" , ,, ":                            "",
		"gzipped":                           "",
		strings.Repeat(",", 60_000):         "",
		strings.Repeat("br;q=0.9,", 60_000): "",
	} {
		bubble(t, fmt.Sprintf("Accept-Encoding %q is answered with %q", accept[:min(len(accept), 40)], want), func(t *testing.T) {
			c := inMemory(t, engineio.Config{}).handshake()
			long := strings.Repeat("long ", 1000)
			c.peer.send(long)
			got := c.kit.get(c.target, "Accept-Encoding", accept)
			assert.Equal(t, want, got.header.Get("Content-Encoding"))
			assert.Equal(t, "4"+long, decoded(t, got))
			assert.Equal(t, want != "", len(got.body) < len(long))
		})
	}

	bubble(t, "several Accept-Encoding fields count as one list", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		c.peer.send(strings.Repeat("long ", 1000))
		got := c.kit.get(c.target, "Accept-Encoding", "gzip;q=0.5", "Accept-Encoding", "deflate")
		assert.Equal(t, "deflate", got.header.Get("Content-Encoding"))
	})
}

func TestHTTPCompression(t *testing.T) {
	const threshold = 1024
	fill := func(bytes int) string { return strings.Repeat("x", bytes-len("4")) }
	accept := []string{"Accept-Encoding", "gzip"}

	bubble(t, "a compressed answer has the header fields of its encoding", func(t *testing.T) {
		config := allowHome()
		c := inMemory(t, config).handshake()
		c.peer.send(fill(threshold))
		got := c.kit.get(c.target, "Accept-Encoding", "gzip", "Origin", home)
		got.header.Del("Date")
		assert.Equal(t, http.Header{
			"Content-Type": {"text/plain; charset=UTF-8"}, "Content-Length": {strconv.Itoa(len(got.body))}, "Content-Encoding": {"gzip"},
			"Cache-Control": {"no-store"}, "Vary": {"Origin", "Accept-Encoding"},
			"Access-Control-Allow-Origin": {home}, "Access-Control-Allow-Credentials": {"true"},
		}, got.header)
		assert.Equal(t, "\x1f\x8b\x08", got.body[:3], "RFC 1952")
		assert.Equal(t, "4"+fill(threshold), decoded(t, got))
	})

	for what, tc := range map[string]struct {
		config int
		send   *engineio.Packet
		want   string
		vary   []string
	}{
		"an answer of 1024 bytes, by default,":              {0, textPacket(fill(threshold)), "gzip", []string{"Origin", "Accept-Encoding"}},
		"an answer of 1023 bytes, by default,":              {0, textPacket(fill(threshold - 1)), "", []string{"Origin"}},
		"an answer of the configured size":                  {100, textPacket(fill(100)), "gzip", []string{"Origin", "Accept-Encoding"}},
		"an answer below the configured size":               {100, textPacket(fill(99)), "", []string{"Origin"}},
		"an answer when compression is switched off":        {-1, textPacket(fill(5000)), "", []string{"Origin"}},
		"an answer that must not be compressed":             {0, textPacket(fill(5000)).Uncompressed(), "", []string{"Origin"}},
		"a volatile answer that must not be compressed":     {0, textPacket(fill(5000)).Uncompressed().Volatile(), "", []string{"Origin"}},
		"an answer whose base64 has 1024 bytes":             {0, binaryPacket(make([]byte, 780)...), "gzip", []string{"Origin", "Accept-Encoding"}},
		"an answer that compression would not make smaller": {1, textPacket("Hello"), "", []string{"Origin", "Accept-Encoding"}},
		"an answer too large to be buffered":                {0, textPacket(fill(900_000)), "gzip", []string{"Origin", "Accept-Encoding"}},
	} {
		outcome := " is not compressed"
		if tc.want != "" {
			outcome = " is compressed"
		}
		bubble(t, what+outcome, func(t *testing.T) {
			k := inMemory(t, engineio.Config{HTTPCompression: tc.config})
			c := k.handshake()
			plain := k.handshake()
			engineio.Multicast(both(c, plain), tc.send)
			got := k.get(c.target, accept...)
			assert.Equal(t, tc.want, got.header.Get("Content-Encoding"))
			assert.Equal(t, tc.vary, got.header.Values("Vary"))
			assert.Equal(t, strconv.Itoa(len(got.body)), got.header.Get("Content-Length"))
			assert.Equal(t, plain.poll(), decoded(t, got))
		})
	}

	bubble(t, "a secret keeps the packets in the same answer from being compressed", func(t *testing.T) {
		c := inMemory(t, engineio.Config{}).handshake()
		c.peer.session.Send(textPacket(fill(5000)), textPacket("secret").Uncompressed())
		got := c.kit.get(c.target, accept...)
		assert.Equal(t, "4"+fill(5000)+"\x1e4secret", got.body)
	})

	bubble(t, "the session id is never compressed", func(t *testing.T) {
		k := inMemory(t, engineio.Config{HTTPCompression: 1}, func(p *peer) { p.send(fill(5000)) })
		assert.Contains(t, k.get(polling, accept...).body, `0{"sid":"`)
	})

	bubble(t, "a client that does not read its answer holds up no other", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		stuck := k.handshake()
		conn := k.dial()
		_, err := io.WriteString(conn, "GET "+stuck.target+" HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n")
		require.NoError(t, err)
		synctest.Wait()
		message := textPacket(fill(100_000))
		for range 100 {
			c := k.handshake()
			engineio.Multicast(both(c, stuck), message)
			start := time.Now()
			assert.Equal(t, "4"+fill(100_000), decoded(t, k.get(c.target, accept...)))
			assert.Zero(t, time.Since(start))
			c.post("1")
			if len(stuck.peer.ended()) > 0 {
				break // its outbox is full
			}
		}
		_ = conn.Close()
	})

	t.Run("clients that poll at the same time get their own answers", func(t *testing.T) {
		k := onLoopback(t, engineio.Config{})
		type fetched struct{ got, want string }
		results := make(chan fetched)
		const clients = 40
		for i := range clients {
			c := k.handshake()
			want := strings.Repeat(strconv.Itoa(i)+",", 2000)
			c.peer.send(want)
			go func() {
				results <- fetched{decoded(t, k.get(c.target, "Accept-Encoding", []string{"gzip", "deflate"}[i%2])), "4" + want}
			}()
		}
		for range clients {
			r := <-results
			assert.True(t, r.got == r.want)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = k.engine.Shutdown(ctx, 0) // nobody polls any more
	})
}

// both returns the sessions of the two clients.
func both(a, b *pollingClient) iter.Seq[*engineio.Session] {
	return slices.Values([]*engineio.Session{a.peer.session, b.peer.session})
}
