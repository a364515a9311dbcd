//go:build linux

package swarm_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/swarm"
	"parley/test/load/internal/tally"
	"parley/test/load/internal/wire"
)

// scripted answers the packets of one client by a script; a nil answer ends the connection.
type scripted func(ws *websocket.Conn, p wire.Packet) (answers []string)

// serve runs a server whose sessions begin by the book and go on by the script.
func serve(t *testing.T, script scripted) string {
	t.Helper()
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		_ = ws.WriteMessage(websocket.TextMessage, []byte(`0{"sid":"s"}`))
		for {
			_, text, err := ws.ReadMessage()
			if err != nil {
				return
			}
			p := wire.ParsePacket(text)
			answers := []string{`40{"sid":"t"}`}
			if p.Kind != wire.Connected {
				answers = script(ws, p)
			}
			if answers == nil {
				return
			}
			for _, answer := range answers {
				_ = ws.WriteMessage(websocket.TextMessage, []byte(answer))
			}
		}
	}))
	t.Cleanup(web.Close)
	return web.URL
}

func lone(t *testing.T, url string, cfg swarm.Config) *swarm.Swarm {
	t.Helper()
	cfg.URL, cfg.Token, cfg.Prefix, cfg.Clients = url, token, "test", max(cfg.Clients, 1)
	s, err := swarm.New(cfg)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func isJoin(p wire.Packet) bool { return string(wire.EventName(p.Body)) == "join_conversation" }

func content(p wire.Packet) string {
	_, rest, _ := strings.Cut(string(p.Body), `"content":"`)
	return rest[:strings.IndexByte(rest, '"')]
}

func message(content string, seq int) string {
	return fmt.Sprintf(`42["message",{"type":"message","conversationId":"test-0","userId":"u","content":"%s",`+
		`"timestamp":"2026-01-02T03:04:05.678Z","messageId":"m","seq":%d}]`, content, seq)
}

const joinOK = `430[{"ok":true,"conversationId":"test-0","epoch":"e","seq":0,"members":[]}]`

func TestSwarm_wire(t *testing.T) {
	t.Parallel()
	t.Run("pings of both layers are answered", func(t *testing.T) {
		pongs := make(chan string, 2)
		url := serve(t, func(ws *websocket.Conn, p wire.Packet) []string {
			if !isJoin(p) { // the packet "3" has no kind of its own
				pongs <- "engine.io"
				return []string{joinOK}
			}
			ws.SetPongHandler(func(data string) error { pongs <- "websocket " + data; return nil })
			_ = ws.WriteControl(websocket.PingMessage, []byte("data"), time.Now().Add(time.Second))
			return []string{"2"}
		})
		s := lone(t, url, swarm.Config{})
		connected(t, s)
		assert.ElementsMatch(t, []string{"engine.io", "websocket data"}, []string{<-pongs, <-pongs})
	})

	t.Run("an answer longer than the read buffer is read", func(t *testing.T) {
		long := strings.Replace(joinOK, `[]`, `["`+strings.Repeat("m", 700_000)+`"]`, 1)
		url := serve(t, func(*websocket.Conn, wire.Packet) []string { return []string{long} })
		connected(t, lone(t, url, swarm.Config{}))
	})

	t.Run("a refused join is reported by its code", func(t *testing.T) {
		url := serve(t, func(*websocket.Conn, wire.Packet) []string {
			return []string{`430[{"ok":false,"error":{"code":"FORBIDDEN","message":"no"}}]`}
		})
		s := lone(t, url, swarm.Config{Clients: 3})
		_, err := s.Connect(t.Context())
		require.NoError(t, err)
		join, err := s.Join(t.Context())
		require.NoError(t, err)
		assert.Zero(t, join.Done)
		assert.Equal(t, map[string]int{"FORBIDDEN": 3}, join.Errors)
	})

	t.Run("joins that nobody answers are an error in the end", func(t *testing.T) {
		url := serve(t, func(*websocket.Conn, wire.Packet) []string { return []string{} })
		s := lone(t, url, swarm.Config{Timeout: 50 * time.Millisecond})
		_, err := s.Connect(t.Context())
		require.NoError(t, err)
		_, err = s.Join(t.Context())
		assert.Error(t, err)
	})

	t.Run("refused and unanswered sends are no deliveries due", func(t *testing.T) {
		sends, seq := 0, 0
		url := serve(t, func(_ *websocket.Conn, p wire.Packet) []string {
			if isJoin(p) {
				return []string{joinOK}
			}
			sends++
			switch sends % 10 {
			case 0:
				return []string{fmt.Sprintf(`43%d[{"ok":false,"error":{"code":"RATE_LIMITED","message":"m"}}]`, p.ID), `42["error",{"code":"RATE_LIMITED"}]`}
			case 1:
				return []string{}
			}
			seq++
			return []string{message(content(p), seq), fmt.Sprintf(`43%d[{"ok":true,"seq":%d}]`, p.ID, seq), `42["typing",{}]`}
		})
		s := lone(t, url, swarm.Config{})
		connected(t, s)
		out := lossy(t, s)
		assert.Equal(t, 80, out.Accepted)
		assert.Equal(t, map[string]int{"RATE_LIMITED": 10}, out.Refused)
		assert.Equal(t, map[string]int{"RATE_LIMITED": 10}, out.Errors)
		assert.Equal(t, 10, out.Unanswered)
		assert.Equal(t, tally.Deliveries{Expected: 80, Received: 80}, out.Deliveries)
		assert.Positive(t, out.To.Others-out.From.Others)
	})

	t.Run("skipped numbers, bad messages and stray acks are noticed", func(t *testing.T) {
		seq := 0
		url := serve(t, func(_ *websocket.Conn, p wire.Packet) []string {
			if isJoin(p) {
				return []string{joinOK}
			}
			seq += 2
			ack := fmt.Sprintf(`43%d[{"ok":true,"seq":%d}]`, p.ID, seq)
			noZone := strings.Replace(message(content(p), seq), "678Z", "678", 1)
			return []string{noZone, ack, ack, `43999999[]`, `42["message",{"content":"?"}]`, `5`}
		})
		s := lone(t, url, swarm.Config{Sample: 1})
		connected(t, s)
		out := lossy(t, s)
		assert.Equal(t, uint64(100), out.SeqGaps)
		assert.Equal(t, uint64(100), out.Deliveries.Lost)
		assert.Equal(t, 500, out.Malformed, "timestamp, second ack, stray ack, no stamp, unknown packet")
		assert.NotEmpty(t, out.Example)
	})

	t.Run("a sender whose connection is gone counts what it could not send", func(t *testing.T) {
		url := serve(t, func(_ *websocket.Conn, p wire.Packet) []string {
			if isJoin(p) {
				return []string{joinOK}
			}
			return nil
		})
		s := lone(t, url, swarm.Config{})
		connected(t, s)
		out := lossy(t, s)
		unsent := 0
		for _, n := range out.Unsent {
			unsent += n
		}
		assert.Equal(t, 100, unsent+out.Unanswered)
		assert.Positive(t, out.Unsent["swarm: connection is closed"])
		assert.Len(t, out.Dropped, 1)
	})
}

func TestSwarm_handshake(t *testing.T) {
	t.Parallel()
	fails := func(t *testing.T, url, want string) {
		t.Helper()
		s := lone(t, url, swarm.Config{Attempts: 1, Timeout: 200 * time.Millisecond})
		connect, err := s.Connect(t.Context())
		require.NoError(t, err)
		assert.Zero(t, connect.Done)
		require.Len(t, connect.Errors, 1)
		for text := range connect.Errors {
			assert.Contains(t, text, want)
		}
	}
	raw := func(t *testing.T, answer string) string {
		t.Helper()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = conn.Write([]byte(answer))
				_ = conn.Close()
			}
		}()
		return "http://" + listener.Addr().String()
	}
	t.Run("a status other than 101 is reported", func(t *testing.T) {
		web := httptest.NewServer(http.NotFoundHandler())
		defer web.Close()
		fails(t, web.URL, "HTTP 404")
	})
	t.Run("an answer to another key is refused", func(t *testing.T) {
		fails(t, raw(t, "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n"), "Sec-WebSocket-Accept")
	})
	t.Run("a connection that ends is reported", func(t *testing.T) {
		fails(t, raw(t, ""), "upgrade answer")
	})
	t.Run("a server that never answers is given up", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close()
		fails(t, "http://"+listener.Addr().String(), "timed out")
	})
}
