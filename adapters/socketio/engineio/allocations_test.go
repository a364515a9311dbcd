package engineio_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/adapters/socketio/engineio"
)

func TestAllocations(t *testing.T) {
	t.Run("a multicast allocates nothing per recipient", func(t *testing.T) {
		const recipients = 2000
		c := newCrowd(t, recipients)
		p := textPacket("hello")
		volatile := p.Volatile()
		for range 10 {
			c.multicast(p) // let queues and outboxes grow to their full size
		}
		allocations := testing.AllocsPerRun(20, func() {
			c.multicast(p)
			c.multicast(volatile)
		})
		assert.Less(t, allocations, 0.02*recipients)
	})

	t.Run("a compressed multicast is compressed once", func(t *testing.T) {
		const recipients = 500
		c := newCrowdOf(t, recipients, engineio.Config{PerMessageDeflate: 1024})
		text := strings.Repeat("long ", 1000)
		for range 10 {
			c.multicast(textPacket(text))
		}
		allocations := testing.AllocsPerRun(20, func() { c.multicast(textPacket(text)) })
		assert.Less(t, allocations, 0.1*recipients)
	})
}
