//go:build linux

package swarm_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/swarm"
	"parley/test/load/internal/tally"
	"parley/test/load/internal/wire"
)

// sent is a message as a client sends it.
type sent struct {
	ConversationID, Content, MessageID string
	Confirm                            bool
}

func decode(t *testing.T, p wire.Packet) (name string, m sent) {
	t.Helper()
	var args []json.RawMessage
	assert.NoError(t, json.Unmarshal(p.Body, &args))
	assert.NoError(t, json.Unmarshal(args[0], &name))
	_ = json.Unmarshal(args[1], &m) // a join's is a string
	return name, m
}

func report(m sent, seq, expected, delivered int) string {
	status, pending := "complete", "[]"
	if delivered < expected {
		status, pending = "partial", `["b"]`
	}
	return fmt.Sprintf(`42["message_delivered",{"conversationId":"test-0","messageId":"%s","seq":%d,"expected":%d,"delivered":%d,`+
		`"pending":%s,"status":"%s","timestamp":"2026-01-02T03:04:05.678Z"}]`, m.MessageID, seq, expected, delivered, pending, status)
}

func asking(content string, seq int) string {
	return strings.Replace(message(content, seq), "42[", fmt.Sprintf("42%d[", 7000+seq), 1)
}

func TestSwarm_confirm(t *testing.T) {
	t.Parallel()
	confirming := func(t *testing.T, quiet time.Duration, script scripted) swarm.Outcome {
		t.Helper()
		s := lone(t, serve(t, script), swarm.Config{Sample: 1})
		connected(t, s)
		p := plan()
		p.Confirm, p.Quiet = true, quiet
		out, err := s.Run(t.Context(), p)
		require.NoError(t, err)
		require.NotNil(t, out.Confirmed)
		return out
	}

	t.Run("messages ask for it, each delivery is acknowledged, and the report ends the wait", func(t *testing.T) {
		seq := 0
		ids, asked := map[string]bool{}, map[int]sent{}
		out := confirming(t, 5*time.Second, func(_ *websocket.Conn, p wire.Packet) []string {
			if p.Kind == wire.Ack {
				assert.Equal(t, "[]", string(p.Body))
				at := int(p.ID) - 7000
				m, waited := asked[at]
				assert.True(t, waited, "an ack that nobody asked for")
				delete(asked, at)
				return []string{report(m, at, 0, 0)}
			}
			name, m := decode(t, p)
			if name == "join_conversation" {
				return []string{joinOK}
			}
			assert.True(t, m.Confirm)
			assert.Regexp(t, `^[A-Za-z0-9._:@-]{1,128}$`, m.MessageID)
			assert.False(t, ids[m.MessageID], "an id twice")
			ids[m.MessageID] = true
			seq++
			asked[seq] = m
			return []string{asking(m.Content, seq), fmt.Sprintf(`43%d[{"ok":true,"seq":%d}]`, p.ID, seq)}
		})
		assert.Equal(t, tally.Deliveries{Expected: 100, Received: 100}, out.Deliveries)
		c := out.Confirmed
		assert.Equal(t, []int{100, 0, 0, 0, 0}, []int{c.Complete, c.Partial, c.Missing, c.Doubled, c.Miscounted})
		assert.Equal(t, uint64(100), c.Asked)
		assert.Equal(t, uint64(50), c.Latency.Count)
	})

	t.Run("a repeat that asks again is acknowledged and no doubled delivery", func(t *testing.T) {
		seq, acks := 0, 0
		out := confirming(t, 5*time.Second, func(_ *websocket.Conn, p wire.Packet) []string {
			if p.Kind == wire.Ack {
				acks++
				return []string{}
			}
			name, m := decode(t, p)
			if name == "join_conversation" {
				return []string{joinOK}
			}
			seq++
			ask := asking(m.Content, seq)
			return []string{ask, ask, report(m, seq, 0, 0), fmt.Sprintf(`43%d[{"ok":true,"seq":%d}]`, p.ID, seq)}
		})
		assert.True(t, out.Deliveries.Clean())
		assert.Equal(t, uint64(200), out.Confirmed.Asked)
		assert.Equal(t, uint64(100), out.Confirmed.Resent)
	})

	t.Run("partial, miscounted, doubled, missing and malformed reports are told apart", func(t *testing.T) {
		seq := 0
		out := confirming(t, shortQuiet, func(_ *websocket.Conn, p wire.Packet) []string {
			name, m := decode(t, p)
			if name == "join_conversation" {
				return []string{joinOK}
			}
			seq++
			good := report(m, seq, 0, 0)
			answers := []string{message(m.Content, seq), fmt.Sprintf(`43%d[{"ok":true,"seq":%d}]`, p.ID, seq)}
			switch seq % 5 {
			case 0:
				return append(answers, good)
			case 1:
				return append(answers, report(m, seq, 1, 0))
			case 2:
				return append(answers, good, good)
			case 3:
				return append(answers, strings.Replace(good, `"complete"`, `"partial"`, 1))
			}
			return answers
		})
		c := out.Confirmed
		assert.Equal(t, []int{40, 20, 40, 20, 20}, []int{c.Complete, c.Partial, c.Missing, c.Doubled, c.Miscounted})
		assert.Equal(t, 20, out.Malformed)
		assert.InEpsilon(t, tally.Never.Seconds()*1000, c.Latency.Max, 0.01, "one that never came is the worst there is")
	})
}

func TestSwarm_typing(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var heard []string
	echo := echoes()
	url := serve(t, func(_ *websocket.Conn, p wire.Packet) []string {
		if isJoin(p) {
			return []string{joinOK}
		}
		if name := string(wire.EventName(p.Body)); name == "typing" {
			mu.Lock()
			defer mu.Unlock()
			assert.Equal(t, int64(wire.NoID), p.ID, "typing asks for no answer")
			heard = append(heard, string(p.Body))
			return []string{
				`42["typing",{"conversationId":"test-0","userId":"u","isTyping":true,"timestamp":"2026-01-02T03:04:05.678Z"}]`,
				`42["typing",{"conversationId":"test-0","userId":"u","timestamp":"2026-01-02T03:04:05.678Z"}]`,
			}
		}
		mu.Lock()
		defer mu.Unlock()
		return echo(p)
	})
	s := lone(t, url, swarm.Config{Sample: 1})
	connected(t, s)
	p := plan()
	p.Typing = swarm.Typing{Rate: 300, Typists: 5}
	out, err := s.Run(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, tally.Deliveries{Expected: 100, Received: 100}, out.Deliveries)
	require.NotNil(t, out.Typed)
	assert.Equal(t, 60, out.Typed.Sent)
	assert.Equal(t, 1, out.Typed.Typists, "no more than there are")
	assert.Positive(t, out.Typed.Heard)
	assert.Equal(t, int(out.Typed.Heard/2), out.Malformed, "every second one lacks isTyping")
	mu.Lock()
	defer mu.Unlock()
	assert.Len(t, heard, 60)
	assert.Equal(t, `["typing",{"conversationId":"test-0","isTyping":true}]`, heard[0])
	assert.Equal(t, `["typing",{"conversationId":"test-0","isTyping":false}]`, heard[1])
}

// chatty is a server with one conversation whose members may leave.
type chatty struct {
	mu      sync.Mutex
	seq     int
	members map[*websocket.Conn]bool
	// to may change what a member that comes and goes is sent; n counts its messages.
	to func(seq int, text string) []string
	// out are sent to who has left.
	out bool
}

func (s *chatty) serve(t *testing.T) string {
	s.members = map[*websocket.Conn]bool{}
	return serve(t, func(ws *websocket.Conn, p wire.Packet) []string {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch string(wire.EventName(p.Body)) {
		case "join_conversation":
			s.members[ws] = true
			// Written here, so that it cannot be overtaken by a message.
			_ = ws.WriteMessage(websocket.TextMessage, []byte(strings.Replace(joinOK, `"seq":0`, fmt.Sprintf(`"seq":%d`, s.seq), 1)))
			return []string{}
		case "leave_conversation":
			s.members[ws] = false
			_ = ws.WriteMessage(websocket.TextMessage, []byte(fmt.Sprintf(`43%d[{"ok":true}]`, p.ID)))
			return []string{}
		}
		s.seq++
		text := message(content(p), s.seq)
		for member, in := range s.members {
			texts := []string{text}
			if member != ws && s.to != nil {
				texts = s.to(s.seq, text)
			}
			for _, text := range texts {
				if in || s.out {
					_ = member.WriteMessage(websocket.TextMessage, []byte(text))
				}
			}
		}
		_ = ws.WriteMessage(websocket.TextMessage, []byte(fmt.Sprintf(`43%d[{"ok":true,"seq":%d}]`, p.ID, s.seq)))
		return []string{}
	})
}

func TestSwarm_churn(t *testing.T) {
	t.Parallel()
	churning := func(t *testing.T, server *chatty) swarm.Outcome {
		t.Helper()
		s := lone(t, server.serve(t), swarm.Config{Clients: 2, Churn: 1, Joining: 1, Sample: 1})
		connected(t, s)
		p := plan()
		p.ChurnRate, p.Senders = 50, 1
		out, err := s.Run(t.Context(), p)
		require.NoError(t, err)
		assert.Equal(t, tally.Deliveries{Expected: 100, Received: 100}, out.Deliveries, "who stays gets everything")
		require.NotNil(t, out.Churned)
		assert.Zero(t, out.Churned.Unanswered)
		assert.Empty(t, out.Churned.Refused)
		return out
	}

	t.Run("a member gets what is said while it is there", func(t *testing.T) {
		c := churning(t, &chatty{}).Churned
		assert.True(t, c.Deliveries.Clean())
		assert.Zero(t, c.Strays)
		assert.Equal(t, c.Joins+1, c.Leaves)
		assert.InDelta(t, 10.5, float64(c.Joins+c.Leaves+c.Skipped), 0.5, "ten by plan, and leaving in the end")
		assert.Positive(t, c.Deliveries.Received)
	})

	t.Run("a message missed in the middle of a membership, and one at its end, are lost", func(t *testing.T) {
		c := churning(t, &chatty{to: func(seq int, text string) []string {
			if seq%3 == 0 {
				return nil
			}
			return []string{text}
		}}).Churned
		assert.Positive(t, c.Deliveries.Lost)
	})

	t.Run("a member that is sent nothing at all loses all", func(t *testing.T) {
		c := churning(t, &chatty{to: func(int, string) []string { return nil }}).Churned
		assert.Zero(t, c.Deliveries.Received)
		assert.Positive(t, c.Deliveries.Lost)
	})

	t.Run("what a member is sent twice is doubled", func(t *testing.T) {
		c := churning(t, &chatty{to: func(_ int, text string) []string { return []string{text, text} }}).Churned
		assert.Equal(t, c.Deliveries.Received, c.Deliveries.Doubled)
	})

	t.Run("what is sent to a member that is out is stray", func(t *testing.T) {
		assert.Positive(t, churning(t, &chatty{out: true}).Churned.Strays)
	})
}

func TestSwarm_Ask(t *testing.T) {
	url := serve(t, func(_ *websocket.Conn, p wire.Packet) []string {
		switch name, _ := decode(t, p); name {
		case "join_conversation":
			return []string{joinOK}
		case "known":
			return []string{fmt.Sprintf(`43%d[{"ok":true}]`, p.ID)}
		case "forbidden":
			return []string{fmt.Sprintf(`43%d[{"ok":false,"error":{"code":"FORBIDDEN"}}]`, p.ID)}
		}
		return []string{}
	})
	s := lone(t, url, swarm.Config{})
	_, _, err := s.Ask(t.Context(), "known", []byte(`{}`), time.Second)
	require.Error(t, err, "nobody is there to ask")
	connected(t, s)
	ok, _, err := s.Ask(t.Context(), "known", []byte(`{}`), 5*time.Second)
	require.NoError(t, err)
	assert.True(t, ok)
	ok, code, err := s.Ask(t.Context(), "forbidden", []byte(`{}`), 5*time.Second)
	require.NoError(t, err)
	assert.False(t, ok)
	assert.Equal(t, "FORBIDDEN", code)
	_, _, err = s.Ask(t.Context(), "unknown", []byte(`{}`), 50*time.Millisecond)
	assert.ErrorIs(t, err, swarm.ErrUnanswered)
	assert.Equal(t, "test-0", s.Conversation(0))
}
