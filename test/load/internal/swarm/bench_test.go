//go:build linux

package swarm

import (
	"fmt"
	"testing"
	"time"

	"parley/test/load/internal/pace"
	"parley/test/load/internal/wire"
)

// BenchmarkLoop_cut is what the generator itself does per delivery, without the kernel: cut the
// frame, find stamp and seq, account, record.
func BenchmarkLoop_cut(b *testing.B) {
	s, err := New(Config{URL: "http://127.0.0.1:1", Token: func(string) (string, error) { return "", nil }, Clients: 1, Prefix: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	l, err := newLoop(s)
	if err != nil {
		b.Fatal(err)
	}
	defer l.end()
	const batch = 200
	r := &run{size: 128, schedule: pace.NewSchedule(0, batch, time.Second), to: time.Hour, members: []uint64{1}, base: []uint64{0}}
	var read []byte
	for k := range batch {
		text := fmt.Appendf(nil, `42["message",{"type":"message","conversationId":"bench-0","userId":"bench-user-0","content":"%s",`+
			`"timestamp":"2026-01-02T03:04:05.678Z","messageId":"0191d6a8-0000-7000-8000-000000000000","seq":%d}]`,
			wire.AppendContent(nil, wire.Stamp{Number: uint64(k), Due: r.schedule.Due(k)}, 128), k+1)
		read = append(read, 0x81, 126, byte(len(text)>>8), byte(len(text)))
		read = append(read, text...)
	}
	l.tally.start(r)
	c := s.clients[0]
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		c.seen.Start(0)
		l.cut(c, read, time.Duration(n))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/delivery")
	if l.tally.delivered != uint64(b.N)*batch {
		b.Fatalf("%d delivered", l.tally.delivered)
	}
}
