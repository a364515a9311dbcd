package engineio_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
)

// TestRetain_property plays random lives of a client that loses its connection again and again, while it is sent
// packets of all kinds on several channels, reads or does not, and answers pings or does not. At the end of each life,
// for every offset that the client may show, what it would be handed must be everything that it has missed, or nothing;
// and over all its lives it gets everything once and in order.
func TestRetain_property(t *testing.T) {
	for _, seed := range []uint64{1, 2, 3, 4, 5, rand.Uint64()} {
		bubble(t, fmt.Sprint("a client always carries on if there is room enough, seed ", seed), func(t *testing.T) {
			playRetention(t, seed, engineio.Config{Retain: 10_000, OutboxBytes: 2000})
		})
		bubble(t, fmt.Sprint("a client never has a hole if there is little room, seed ", seed), func(t *testing.T) {
			playRetention(t, seed, engineio.Config{Retain: 8, OutboxBytes: 2000})
		})
	}
}

var channels = []string{"a", "b", "c"}

// sentEvent is an event that the application has sent on a channel.
type sentEvent struct {
	offset   string
	volatile bool
}

type retentionPlay struct {
	t      *testing.T
	random *rand.Rand
	k      *kit
	ws     *wsClient
	next   int
	// sent is what was sent on each channel since its beginning, or since it last could not be resumed.
	sent map[string][]sentEvent
	// got is what the client has got of that, oldest first; at is the last offset of that.
	got map[string][]string
	at  map[string]string
	// seen are the offsets of the volatile events that it has got.
	seen map[string]bool
	// proved is what at was at the last ping that was answered.
	proved map[string]string
	// owes: a ping has been read and not answered yet; owed is what at was then.
	owes bool
	owed map[string]string
	// resumed and refused count the outcomes, each of which must have occurred.
	resumed, refused int
}

func playRetention(t *testing.T, seed uint64, config engineio.Config) {
	p := &retentionPlay{
		t: t, random: rand.New(rand.NewPCG(seed, 0)), k: inMemory(t, config),
		seen: map[string]bool{}, sent: map[string][]sentEvent{}, got: map[string][]string{}, at: map[string]string{}, proved: map[string]string{},
	}
	p.ws = p.k.openWebSocket()
	for range 60 {
		for range p.random.IntN(60) {
			p.step()
		}
		p.drop()
		p.checkEveryOffset()
		p.comeBack(config.Retain > 1000)
	}
	p.readAll()
	for _, c := range channels {
		require.Equal(t, p.expected(c, ""), append([]string{}, p.got[c]...))
	}
	require.Positive(t, p.resumed)
	if config.Retain < 1000 {
		require.Positive(t, p.refused)
	}
}

// step sends something, or lets the client do something.
func (p *retentionPlay) step() {
	switch choice := p.random.IntN(20); {
	case choice < 11:
		p.send()
	case choice < 16:
		p.read(1 + p.random.IntN(20))
	case choice < 18 && p.owes && len(p.ws.peer.ended()) == 0:
		p.ws.sendText("3")
		synctest.Wait()
		p.owes, p.proved = false, p.owed
	case choice < 19:
		time.Sleep(time.Duration(p.random.IntN(3000)) * time.Millisecond)
	}
}

func (p *retentionPlay) send() {
	p.next++
	channel := channels[p.random.IntN(len(channels))]
	e := sentEvent{offset: fmt.Sprint(channel, p.next), volatile: p.random.IntN(4) == 0}
	packets := []*engineio.Packet{textPacket(e.offset+strings.Repeat(".", p.random.IntN(200))).Retain(channel, e.offset)}
	for range p.random.IntN(3) * p.random.IntN(2) {
		packets = append(packets, textPacket("+").Retain(channel, ""))
	}
	if p.random.IntN(8) == 0 {
		p.ws.peer.session.Send(textPacket("unmarked"))
	}
	if e.volatile {
		for i := range packets {
			packets[i] = packets[i].Volatile()
		}
	}
	p.sent[channel] = append(p.sent[channel], e)
	p.ws.peer.session.Send(packets...)
	synctest.Wait()
}

// read reads at most n frames, as long as there are any.
func (p *retentionPlay) read(n int) {
	for range n {
		_ = p.ws.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		f := p.ws.read()
		if f.closed {
			break
		}
		offset, _, _ := strings.Cut(strings.TrimPrefix(f.data, "4"), ".")
		switch offset {
		case "2":
			p.owes, p.owed = true, clone(p.at)
		case "+", "unmarked", "first":
		default:
			channel := offset[:1]
			p.at[channel] = offset
			if p.volatile(channel, offset) {
				p.seen[offset] = true
				break
			}
			p.got[channel] = append(p.got[channel], offset)
		}
	}
	_ = p.ws.conn.SetReadDeadline(time.Time{})
}

func (p *retentionPlay) readAll() { p.read(1 << 20) }

func (p *retentionPlay) volatile(channel, offset string) bool {
	i := slices.IndexFunc(p.sent[channel], func(e sentEvent) bool { return e.offset == offset })
	require.GreaterOrEqual(p.t, i, 0, "%s was never sent", offset)
	return p.sent[channel][i].volatile
}

// drop closes the connection, and more is sent meanwhile.
func (p *retentionPlay) drop() {
	p.ws.drop()
	require.NotEmpty(p.t, p.ws.peer.ended())
	for range p.random.IntN(5) {
		p.send()
	}
}

// expected returns what was sent on the channel after the offset; everything if that is "".
func (p *retentionPlay) expected(channel, offset string) []string {
	after := []string{}
	for _, e := range p.sent[channel] {
		if !e.volatile {
			after = append(after, e.offset)
		}
		if e.offset == offset {
			after = after[:0]
		}
	}
	return after
}

// checkEveryOffset asks what the client would be handed for every offset that it may have seen: it must be everything
// after it, or nothing.
func (p *retentionPlay) checkEveryOffset() {
	for _, c := range channels {
		for _, e := range p.sent[c] {
			texts, ok := p.ws.peer.session.Missed(c, e.offset)
			if ok && (!e.volatile || p.seen[e.offset]) {
				require.Equal(p.t, p.expected(c, e.offset), offsets(texts), "channel %s after %s", c, e.offset)
			}
		}
	}
}

// offsets returns the offsets of the events, without their attachments.
func offsets(texts []string) []string {
	all := []string{}
	for _, text := range texts {
		if offset, _, _ := strings.Cut(text, "."); offset != "+" {
			all = append(all, offset)
		}
	}
	return all
}

// comeBack lets a new session carry on each channel from where the client is. A channel that cannot be resumed begins
// anew.
func (p *retentionPlay) comeBack(always bool) {
	old, next := p.ws, p.k.openWebSocket()
	p.ws, p.owes = next, false
	for _, c := range channels {
		if old.peer.session.Resume(next.peer.session, c, p.at[c], textPacket("first")) {
			p.resumed++
			continue
		}
		require.False(p.t, always, "channel %s cannot be resumed at %s, proved %s", c, p.at[c], p.proved[c])
		p.refused++
		delete(p.sent, c)
		delete(p.got, c)
		delete(p.at, c)
	}
}

func clone(m map[string]string) map[string]string {
	c := make(map[string]string, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}
