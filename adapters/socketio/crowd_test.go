package socketio_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio"
	"parley/domain"
	"parley/ports"
)

// crowd is a server on TCP, whose chat lets everyone in, with clients that allocate nothing when they read.
type crowd struct {
	tb      testing.TB
	hub     *socketio.Hub
	address string
	request []byte
	// clients are connected, as ids.
	clients []net.Conn
	ids     []domain.SessionID
	buffer  [1024]byte
}

func newCrowd(tb testing.TB, recovery time.Duration, n int) *crowd {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	log := slog.New(slog.DiscardHandler)
	c := &crowd{tb: tb, hub: socketio.NewHub(recovery > 0, log), address: listener.Addr().String()}
	c.request = []byte("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: " + c.address +
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	server := socketio.NewServer(socketio.Config{Recovery: recovery}, &hospitable{}, c.hub, log)
	web := &http.Server{Handler: server, ReadHeaderTimeout: time.Minute}
	served := make(chan error)
	go func() { served <- web.Serve(listener) }()
	tb.Cleanup(func() {
		for _, conn := range c.clients {
			_ = conn.Close()
		}
		assert.NoError(tb, server.Shutdown(context.Background(), 0))
		_ = web.Close()
		assert.ErrorIs(tb, <-served, http.ErrServerClosed)
	})
	for range n {
		conn, id := c.connect()
		c.clients, c.ids = append(c.clients, conn), append(c.ids, id)
	}
	return c
}

// connect opens a session, whose id it reads from the answer to CONNECT.
func (c *crowd) connect() (net.Conn, domain.SessionID) {
	conn, err := net.Dial("tcp", c.address)
	require.NoError(c.tb, err)
	_, err = conn.Write(c.request)
	require.NoError(c.tb, err)
	for seen := 0; !bytes.HasSuffix(c.buffer[:seen], []byte("\r\n\r\n")); seen++ {
		_, err := io.ReadFull(conn, c.buffer[seen:seen+1])
		require.NoError(c.tb, err)
	}
	c.hear(conn) // the engine's open packet
	c.say(conn, `40{"token":"good"}`)
	return conn, domain.SessionID(bytes.Split(c.hear(conn), []byte(`"`))[3])
}

// say sends a text of at most 125 bytes.
func (c *crowd) say(conn net.Conn, text string) {
	frame := append(c.buffer[:0], 0x81, 0x80|byte(len(text)), 0, 0, 0, 0)
	_, err := conn.Write(append(frame, text...))
	require.NoError(c.tb, err)
}

// hear reads the next text, which is valid until anything else is read.
func (c *crowd) hear(conn net.Conn) []byte {
	header := c.buffer[:2]
	if _, err := io.ReadFull(conn, header); err != nil {
		c.tb.Fatal(err)
	}
	size := int(header[1])
	if size == 126 {
		if _, err := io.ReadFull(conn, header); err != nil {
			c.tb.Fatal(err)
		}
		size = int(binary.BigEndian.Uint16(header))
	}
	if _, err := io.ReadFull(conn, c.buffer[:size]); err != nil {
		c.tb.Fatal(err)
	}
	return c.buffer[:size]
}

// broadcast sends to all, and returns when all have got it.
func (c *crowd) broadcast(e domain.Event) {
	c.hub.Broadcast(c.ids, "", e)
	for _, conn := range c.clients {
		c.hear(conn)
	}
}

// hospitable is a chat that lets everyone in everywhere.
type hospitable struct{ ports.Chat }

func (*hospitable) Connect(context.Context, domain.SessionID, string) (domain.Identity, error) {
	return domain.Identity{User: "ann"}, nil
}

func (*hospitable) Disconnect(context.Context, domain.SessionID, ports.Departure) domain.Absence {
	return domain.Absence{}
}

func (*hospitable) Join(_ context.Context, _ domain.SessionID, join ports.Join, admit func(ports.Joined)) error {
	admit(ports.Joined{Conversation: join.Conversation, At: domain.Position{Epoch: "e", Seq: 7}, Members: []domain.UserID{"ann", "bob"}})
	return nil
}

func TestHub_Broadcast_allocates_nothing_per_recipient(t *testing.T) {
	allocations := func(recipients int) float64 {
		c := newCrowd(t, time.Minute, recipients)
		both := func() {
			c.broadcast(domain.MessageSent{Message: message(7, "a message of a usual length", "")})
			c.broadcast(domain.TypingChanged{Conversation: "room", User: "bob", IsTyping: true, At: noon})
		}
		// What each session retains until its client's next pong gets 64 places in these, and does not outgrow
		// them in those that count.
		for range 17 {
			both()
		}
		return testing.AllocsPerRun(10, both)
	}
	// How many workers are started, and what pools give back, depends on the scheduler: a few of either do not count.
	assert.Less(t, allocations(1000)-allocations(10), 0.1*990)
}

// BenchmarkHub_Broadcast is a message from the application's call until every client has read it.
func BenchmarkHub_Broadcast(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run("sessions="+strconv.Itoa(n), func(b *testing.B) {
			c := newCrowd(b, 0, n)
			event := domain.MessageSent{Message: message(7, "a message of a usual length", "")}
			b.ReportAllocs()
			for b.Loop() {
				c.broadcast(event)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/delivery")
		})
	}
}

// BenchmarkServer_connect_and_join is a connection from its first byte until it has joined, with its end: with
// all of net/http and the client's side, but nothing of the application.
func BenchmarkServer_connect_and_join(b *testing.B) {
	c := newCrowd(b, time.Minute, 0)
	b.ReportAllocs()
	for b.Loop() {
		conn, _ := c.connect()
		c.say(conn, `420["join_conversation",{"conversationId":"room"}]`)
		if got := c.hear(conn); !bytes.HasPrefix(got, []byte(`430[{"ok":true`)) {
			b.Fatalf("%s", got)
		}
		c.say(conn, "41")
		_ = conn.Close()
	}
}
