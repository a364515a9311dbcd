package engineio_test

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
)

// Packets that are written to a descriptor, without waiting.
func TestTCP_Order(t *testing.T) {
	t.Run("what each of many goroutines sends arrives once and in its order", func(t *testing.T) {
		const senders, each = 8, 1500
		ws := onLoopback(t, engineio.Config{OutboxBytes: 16 << 20}).openWebSocket()
		for g := range senders {
			go func() {
				for i := range each {
					ws.peer.session.Send(textPacket(fmt.Sprintf("%d:%d.", g, i)), textPacket(fmt.Sprintf("%d:%d", g, i)))
				}
			}()
		}
		var next [senders]int
		for range senders * each {
			pair := ws.readText(2)
			require.Equal(t, pair[0], pair[1]+".", "packets of one Send have nothing in between")
			var g, i int
			_, err := fmt.Sscanf(pair[1], "4%d:%d", &g, &i)
			require.NoError(t, err)
			require.Equal(t, next[g], i)
			next[g]++
		}
	})

	t.Run("a client that stops reading now and then gets everything in order", func(t *testing.T) {
		k := onLoopback(t, engineio.Config{OutboxBytes: 64 << 20})
		random := rand.New(rand.NewPCG(1, 2))
		ws := k.openWebSocket()
		require.NoError(t, ws.conn.(*net.TCPConn).SetReadBuffer(64<<10))
		for range 12 {
			var sent []string
			for range 10 {
				size := random.IntN(200) // most messages are small, some larger than any buffer
				if random.IntN(3) == 0 {
					size = random.IntN(200_000)
				}
				sent = append(sent, strings.Repeat(string(rune('a'+random.IntN(26))), size))
				ws.peer.send(sent[len(sent)-1])
			}
			for _, want := range sent[:random.IntN(10)] {
				requireSame(t, "4"+want, ws.read())
				sent = sent[1:]
			}
			ws.peer.send("more, while some is waiting")
			for _, want := range append(sent, "more, while some is waiting") {
				requireSame(t, "4"+want, ws.read())
			}
		}
		assert.Empty(t, ws.peer.ended())
	})

	t.Run("a client that reads a byte at a time gets everything in order", func(t *testing.T) {
		ws := onLoopback(t, engineio.Config{OutboxBytes: 64 << 20}).openWebSocket()
		ws.r.Reset(oneByte{ws.conn})
		var sent []string
		for i := range 60 {
			sent = append(sent, strings.Repeat(fmt.Sprint(i%10), i*40))
			ws.peer.send(sent[i])
		}
		for _, want := range sent {
			requireSame(t, "4"+want, ws.read())
		}
	})

	t.Run("frames of both kinds come and go whole", func(t *testing.T) {
		k := onLoopback(t, engineio.Config{OutboxBytes: 64 << 20}, echo)
		ws := k.openWebSocket()
		var wg sync.WaitGroup
		defer wg.Wait()
		sizes := []int{0, 1, 124, 125, 126, 4_095, 16_383, 16_384, 65_534, 65_535, 65_536, 200_000}
		wg.Go(func() {
			for _, size := range sizes {
				ws.send(2, []byte(strings.Repeat("\x00\xff", size/2)))
				ws.sendText("4" + strings.Repeat("é", size/2))
			}
		})
		for _, size := range sizes {
			got := ws.read()
			require.Equal(t, frame{op: 2, data: strings.Repeat("\x00\xff", size/2)}.op, got.op)
			requireSame(t, strings.Repeat("\x00\xff", size/2), got)
			requireSame(t, "4"+strings.Repeat("é", size/2), ws.read())
		}
	})
}

// Under TLS there is no descriptor to write to.
func TestTLS(t *testing.T) {
	t.Run("packets arrive in order, and the close frame after them", func(t *testing.T) {
		certified := httptest.NewTLSServer(nil)
		defer certified.Close()
		k, listener := loopback(t)
		k.dress = func(conn net.Conn) net.Conn { return tls.Server(conn, certified.TLS) }
		plain := k.dialer
		k.dialer = func() (net.Conn, error) {
			conn, err := plain()
			return tls.Client(conn, &tls.Config{InsecureSkipVerify: true}), err
		}
		k.serve(listener, engineio.Config{OutboxBytes: 64 << 20}, []func(*peer){echo})
		ws := k.openWebSocket()
		const n = 2000
		go func() {
			for i := range n {
				ws.sendText(fmt.Sprintf("4%d", i))
			}
		}()
		for i := range n {
			require.Equal(t, text(fmt.Sprintf("4%d", i)), ws.read())
		}
		ws.peer.session.Close()
		assert.Equal(t, closeFrame(""), ws.read())
		assert.Equal(t, hungUp, ws.read(), "the server's half is closed")
	})
}

// echo sends back what it hears.
func echo(p *peer) {
	p.onReceive = func(data []byte, binary bool) {
		if binary {
			p.session.Send(binaryPacket(data...))
			return
		}
		p.send(string(data))
	}
}

// requireSame compares large messages without printing them.
func requireSame(t *testing.T, want string, got frame) {
	t.Helper()
	require.Len(t, got.data, len(want))
	require.True(t, want == got.data, "a message of %d bytes differs", len(want))
}

type oneByte struct{ net.Conn }

func (c oneByte) Read(p []byte) (int, error) { return c.Conn.Read(p[:1]) }
