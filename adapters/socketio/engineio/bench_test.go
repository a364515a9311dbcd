package engineio_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

// BenchmarkMulticast sends a message of 200 bytes to many sessions of one server. An iteration ends when it has been
// written to every one.
func BenchmarkMulticast(b *testing.B) {
	for _, n := range []int{100, 1_000, 5_000} {
		b.Run(fmt.Sprintf("sessions=%d", n), func(b *testing.B) {
			c := newCrowd(b, n)
			p := textPacket(string(make([]byte, 200)))
			b.ReportAllocs()
			for b.Loop() {
				c.multicast(p)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/delivery")
		})
	}
}

// BenchmarkMulticastDeflate multicasts a new message of 4 KiB each time, to clients that accept compression, with it
// switched on or off.
func BenchmarkMulticastDeflate(b *testing.B) {
	text := strings.Repeat(`{"userId":"alice","content":"what a day"},`, 100)
	for sentence, config := range map[string]engineio.Config{"off": {}, "on": {PerMessageDeflate: 1024}} {
		b.Run(sentence, func(b *testing.B) {
			c := newCrowdOf(b, 1000, config)
			b.ReportAllocs()
			for b.Loop() {
				c.multicast(textPacket(text))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/delivery")
		})
	}
}

// BenchmarkSendOne sends a message to one idle session and waits until it has been written.
func BenchmarkSendOne(b *testing.B) {
	c := newCrowd(b, 1)
	p := textPacket(string(make([]byte, 200)))
	b.ReportAllocs()
	for b.Loop() {
		c.expected.Store(1)
		c.sessions[0].Send(p)
		<-c.done
	}
}

// heard is a receiver that only signals each message.
type heard chan struct{}

func (h heard) Receive([]byte, bool)      { h <- struct{}{} }
func (heard) Closed(engineio.CloseReason) {}

// BenchmarkReceive measures the way of a message from an idle client, from its write until the receiver has it,
// including the start and end of the goroutine that reads.
func BenchmarkReceive(b *testing.B) {
	came := make(heard)
	engine := engineio.NewServer(engineio.Config{}, func(*engineio.Session, *engineio.Handshake) engineio.Receiver { return came })
	server, client := recordPair(b)
	engine.ServeHTTP(hijackable{httptest.NewRecorder(), server}, upgradeRequest())
	message := appendClientFrame(nil, websocket.OpText, []byte("4"+strings.Repeat("x", 200)))
	b.ReportAllocs()
	for b.Loop() {
		_, _ = client.Write(message)
		<-came
	}
	b.StopTimer()
	require.NoError(b, client.Close())
	require.NoError(b, engine.Shutdown(context.Background(), 0))
}
