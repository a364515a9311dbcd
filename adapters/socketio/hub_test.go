package socketio_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio"
	"parley/adapters/socketio/engineio"
	"parley/domain"
	"parley/ports"
)

// told lists every event of the domain with what clients get.
var told = []struct {
	event     domain.Event
	ephemeral bool
	want      string
}{
	{
		domain.MessageSent{Message: message(7, `<b>"Grüße"</b> & \`, "")},
		false,
		`42["message",{"type":"message","conversationId":"room","userId":"bob","content":"<b>\"Grüße\"</b> & \\",` +
			`"timestamp":"2026-03-01T12:00:00.123Z","messageId":"m1","seq":7}]`,
	},
	{
		domain.MessageSent{Message: message(8, "x", `{ "b": 1, "a": "<" }`)},
		false,
		`42["message",{"type":"message","conversationId":"room","userId":"bob","content":"x",` +
			`"timestamp":"2026-03-01T12:00:00.123Z","messageId":"m1","seq":8,"metadata":{"b":1,"a":"<"}}]`,
	},
	{
		domain.UserJoined{Conversation: "room", User: "bob", At: noon},
		true,
		`42["user_joined",{"type":"system","conversationId":"room","userId":"bob","timestamp":"2026-03-01T12:00:00.123Z"}]`,
	},
	{
		domain.UserLeft{Conversation: "room", User: "bob", At: noon},
		true,
		`42["user_left",{"type":"system","conversationId":"room","userId":"bob","timestamp":"2026-03-01T12:00:00.123Z"}]`,
	},
	{
		domain.TypingChanged{Conversation: "room", User: "bob", IsTyping: true, At: noon},
		true,
		`42["typing",{"conversationId":"room","userId":"bob","isTyping":true,"timestamp":"2026-03-01T12:00:00.123Z"}]`,
	},
	{
		domain.TypingChanged{Conversation: "room", User: "bob"},
		true,
		`42["typing",{"conversationId":"room","userId":"bob","isTyping":false,"timestamp":"0001-01-01T00:00:00.000Z"}]`,
	},
	{
		domain.MessageSent{Message: message(7, "x", ""), Delivery: 21},
		false,
		`4242["message",{"type":"message","conversationId":"room","userId":"bob","content":"x",` +
			`"timestamp":"2026-03-01T12:00:00.123Z","messageId":"m1","seq":7}]`,
	},
	{
		domain.MessageDelivered{
			Conversation: "room", Message: "m1", Seq: 7, Expected: 3, Delivered: 1, Pending: []domain.UserID{"eve", "zoe"}, At: noon,
		},
		false,
		`42["message_delivered",{"conversationId":"room","messageId":"m1","seq":7,"expected":3,"delivered":1,` +
			`"pending":["eve","zoe"],"status":"partial","timestamp":"2026-03-01T12:00:00.123Z"}]`,
	},
	{
		domain.MessageDelivered{Conversation: "room", Message: "m1", Seq: 7, Expected: 2, Delivered: 2, At: noon},
		false,
		`42["message_delivered",{"conversationId":"room","messageId":"m1","seq":7,"expected":2,"delivered":2,` +
			`"pending":[],"status":"complete","timestamp":"2026-03-01T12:00:00.123Z"}]`,
	},
	{
		domain.ConversationUpdated{Conversation: "room", Changes: []byte(`{"title":"<b>"}`), At: noon},
		false,
		`42["conversation_updated",{"type":"system","conversationId":"room","timestamp":"2026-03-01T12:00:00.123Z","changes":{"title":"<b>"}}]`,
	},
	{
		domain.Announced{Conversation: "room", Name: "price_alert", Data: []byte(`[1]`), At: noon},
		false,
		`42["price_alert",{"type":"system","conversationId":"room","timestamp":"2026-03-01T12:00:00.123Z","data":[1]}]`,
	},
	{
		domain.Announced{Conversation: "room", Name: "ping-all", At: noon},
		false,
		`42["ping-all",{"type":"system","conversationId":"room","timestamp":"2026-03-01T12:00:00.123Z"}]`,
	},
	{
		domain.ChunkAppended{Conversation: "room", Message: "m1", Chunk: domain.Chunk{Index: 3, Delta: "so "}},
		true,
		`42["message_chunk",{"conversationId":"room","messageId":"m1","index":3,"delta":"so "}]`,
	},
	{
		domain.ChunkAppended{Conversation: "room", Message: "m1", Chunk: domain.Chunk{Index: 4}, Aborted: true},
		false,
		`42["message_chunk",{"conversationId":"room","messageId":"m1","index":4,"delta":"","aborted":true}]`,
	},
	{
		domain.TokenExpiring{ExpiresAt: noon},
		false,
		`42["token_expiring",{"expiresAt":"2026-03-01T12:00:00.123Z"}]`,
	},
	{
		domain.SessionEnded{Reason: domain.Errorf(domain.CodeTokenExpired, "over")},
		false,
		`42["error",{"event":"","code":"TOKEN_EXPIRED","message":"over"}]`,
	},
}

func TestHub_Disconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := serve(t, socketio.Config{})
		w.chat.EXPECT().Connect(anything, anything, "good").Return(domain.Identity{User: "ann"}, nil)
		a := w.open("", nil)
		a.send(`40{"token":"good"}`)
		a.connected()
		w.chat.EXPECT().Disconnect(anything, a.id, ports.Left)
		b := w.connect()
		w.hub.Broadcast([]domain.SessionID{a.id}, "", domain.TokenExpiring{ExpiresAt: noon})
		w.hub.Disconnect("nobody", a.id)
		assert.Regexp(t, "^42.*token_expiring", a.next(), "what was enqueued comes first")
		a.expect("41")
		b.quiet()
	})
}

func TestHub_Broadcast(t *testing.T) {
	for _, tc := range told {
		bubble(t, fmt.Sprintf("%T reaches everyone named but one", tc.event), func(t *testing.T) {
			w := serve(t, socketio.Config{})
			a, b, c, outside := w.connect(), w.connect(), w.connect(), w.connect()
			to := []domain.SessionID{a.id, "nobody", b.id, c.id, ""}
			w.hub.Broadcast(to, b.id, tc.event)
			a.expect(tc.want)
			c.expect(tc.want)
			for _, one := range []*client{a, b, c, outside} {
				one.quiet()
			}
			w.hub.Broadcast([]domain.SessionID{b.id}, "", tc.event)
			b.expect(tc.want)
			w.hub.Broadcast(nil, "", tc.event)
			w.hub.Broadcast([]domain.SessionID{"nobody"}, a.id, tc.event)
			for _, one := range []*client{a, b, c, outside} {
				one.quiet()
			}
			assert.Empty(t, w.logs.String())
		})

		bubble(t, fmt.Sprintf("%T to a client that does not read", tc.event), func(t *testing.T) {
			w := serve(t, socketio.Config{Engine: engineio.Config{OutboxBytes: 2000}})
			c := w.connect()
			c.deaf.Store(true)
			for range 100 {
				w.hub.Broadcast([]domain.SessionID{c.id}, "", tc.event)
			}
			synctest.Wait()
			if tc.ephemeral {
				assert.Equal(t, 1, w.io.Len(), "ephemeral events give way")
				return
			}
			assert.Zero(t, w.io.Len(), "a session that would miss a message ends")
		})
	}

	bubble(t, "an event that cannot be encoded is logged and sent to nobody", func(t *testing.T) {
		w := serve(t, socketio.Config{})
		c := w.connect()
		w.hub.Broadcast([]domain.SessionID{c.id}, "", domain.MessageSent{Message: message(1, "x", `{"broken":`)})
		c.quiet()
		assert.Contains(t, w.logs.String(), "event not encoded")
	})

	bubble(t, "an event that has no name on the wire is logged and sent to nobody", func(t *testing.T) {
		w := serve(t, socketio.Config{})
		c := w.connect()
		w.hub.Broadcast([]domain.SessionID{c.id}, "", struct{ domain.Event }{domain.UserLeft{}})
		c.quiet()
		assert.Contains(t, w.logs.String(), "event not encoded")
	})
}

func TestHub_BroadcastWhileSessionsComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const broadcasts = 200
		w := serve(t, socketio.Config{})
		w.chat.EXPECT().Connect(anything, anything, "x").Return(domain.Identity{}, nil).AnyTimes()
		w.chat.EXPECT().Disconnect(anything, anything, anything).AnyTimes()
		stays := w.connect()
		var mu sync.Mutex
		to := []domain.SessionID{stays.id}
		var all sync.WaitGroup
		all.Go(func() {
			for i := range broadcasts {
				mu.Lock()
				now := slices.Clone(to)
				mu.Unlock()
				w.hub.Broadcast(now, "", domain.MessageSent{Message: message(uint64(i), "x", "")})
			}
		})
		for range 3 {
			all.Go(func() {
				for range 10 {
					c := w.open("", nil)
					c.send(`40{"token":"x"}`)
					_, sid, _ := strings.Cut(c.next(), `40{"sid":"`)
					mu.Lock()
					to = append(to, domain.SessionID(strings.TrimSuffix(sid, `"}`)))
					mu.Unlock()
					c.send("41")
					_ = c.conn.Close()
				}
			})
		}
		all.Wait()
		for i := range broadcasts {
			require.Contains(t, stays.next(), fmt.Sprintf(`"seq":%d}`, i))
		}
		stays.quiet()
	})
}

// What a broadcast allocates must not depend on the number of recipients: they share its bytes.
func TestHub_BroadcastCopiesNothingPerRecipient(t *testing.T) {
	const size = 5_000
	event := domain.MessageSent{Message: message(1, strings.Repeat("x", size), "")}
	few, fewBytes := broadcastCost(t, 10, event)
	many, manyBytes := broadcastCost(t, 1000, event)
	// The encoder's buffers come from pools, which the collector may have emptied.
	assert.InDelta(t, few, many, 100, "allocations")
	assert.InDelta(t, fewBytes, manyBytes, 20*size, "bytes")
}

// broadcastCost is what a broadcast to n polling sessions, whose outboxes have been used before, allocates.
func broadcastCost(t *testing.T, n int, event domain.Event) (allocations, bytes float64) {
	t.Helper()
	w := serve(t, socketio.Config{})
	var to []domain.SessionID
	w.chat.EXPECT().Connect(anything, anything, anything).DoAndReturn(func(_ context.Context, id domain.SessionID, _ string) (domain.Identity, error) {
		to = append(to, id)
		return domain.Identity{}, nil
	}).Times(n)
	w.chat.EXPECT().Disconnect(anything, anything, ports.Dropped).Times(n)
	sids := make([]string, n)
	for i := range sids {
		sids[i] = strings.Split(w.poll(http.MethodGet, "", ""), `"`)[3]
		w.poll(http.MethodPost, sids[i], `40{"token":"x"}`)
		require.Contains(t, w.poll(http.MethodGet, sids[i], ""), `40{"sid":`)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const rounds = 3
	for round := range rounds + 1 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w.hub.Broadcast(to, "", event)
		runtime.ReadMemStats(&after)
		if round > 0 { // the first made the outboxes
			allocations += float64(after.Mallocs-before.Mallocs) / rounds
			bytes += float64(after.TotalAlloc-before.TotalAlloc) / rounds
		}
		for _, sid := range sids {
			require.Contains(t, w.poll(http.MethodGet, sid, ""), `42["message"`)
		}
	}
	for _, sid := range sids {
		w.poll(http.MethodPost, sid, "1")
	}
	return allocations, bytes
}

// poll makes one request of a polling client, which has an answer already.
func (w *world) poll(method, sid, body string) string {
	target := "/socket.io/?EIO=4&transport=polling"
	if sid != "" {
		target += "&sid=" + sid
	}
	answer := httptest.NewRecorder()
	w.io.ServeHTTP(answer, httptest.NewRequest(method, target, strings.NewReader(body)))
	return answer.Body.String()
}
