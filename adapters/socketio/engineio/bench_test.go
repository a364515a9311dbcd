package engineio_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

// BenchmarkMulticast sends a message of 200 bytes to sessions of one server. The clock stops when it
// has been written to every one.
func BenchmarkMulticast(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000} {
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

func TestAllocations(t *testing.T) {
	t.Run("a multicast allocates nothing per recipient", func(t *testing.T) {
		const recipients = 2000
		c := newCrowd(t, recipients)
		p := textPacket("hello")
		volatile := p.Volatile()
		for range 10 {
			c.multicast(p) // queues and outboxes grow to their size
		}
		allocations := testing.AllocsPerRun(20, func() {
			c.multicast(p)
			c.multicast(volatile)
		})
		assert.Less(t, allocations, 0.02*recipients)
	})
}
