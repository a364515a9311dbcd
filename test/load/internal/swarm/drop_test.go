//go:build linux

package swarm_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
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

// recovering has one conversation and recovers connections as the reference server does: missed events
// come before the answer to CONNECT, which needs an offset.
type recovering struct {
	unavailable int    // so many returning connections are answered 503
	refuse      string // the code that returning ones are refused with

	mu      sync.Mutex
	claims  []auth // of those that returned
	sockets map[*websocket.Conn]bool
	sent    []string // message events, the offset of each its place
	pids    int
}

// returned are the claims of who came back.
func (s *recovering) returned() []auth {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.claims
}

type auth struct{ Token, PID, Offset string }

func (s *recovering) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	returning := s.pids == 2
	if returning && s.unavailable > 0 {
		s.unavailable--
		s.mu.Unlock()
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	s.mu.Unlock()
	ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer func() {
		s.mu.Lock()
		delete(s.sockets, ws)
		s.mu.Unlock()
		ws.Close()
	}()
	_ = ws.WriteMessage(websocket.TextMessage, []byte(`0{"sid":"s"}`))
	for {
		_, text, err := ws.ReadMessage()
		if err != nil {
			return
		}
		s.packet(ws, wire.ParsePacket(text))
	}
}

func (s *recovering) packet(ws *websocket.Conn, p wire.Packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	write := func(text string) { _ = ws.WriteMessage(websocket.TextMessage, []byte(text)) }
	var args []json.RawMessage
	_ = json.Unmarshal(p.Body, &args)
	switch {
	case p.Kind == wire.Connected:
		var a auth
		_ = json.Unmarshal(p.Body, &a)
		if a.PID != "" {
			s.claims = append(s.claims, a)
		}
		if a.PID != "" && s.refuse != "" {
			write(`44{"message":"no","data":{"code":"` + s.refuse + `"}}`)
			return
		}
		if from, err := strconv.Atoi(a.Offset); err == nil && a.PID != "" {
			for _, event := range s.sent[from:] {
				write(event)
			}
			write(`40{"sid":"sid-of-` + a.PID + `","pid":"` + a.PID + `"}`)
			s.sockets[ws] = true
			return
		}
		s.pids++
		write(fmt.Sprintf(`40{"sid":"sid-of-%d","pid":"%d"}`, s.pids, s.pids))
	case isJoin(p):
		s.sockets[ws] = true
		write(fmt.Sprintf(`43%d[{"ok":true,"conversationId":"test-0","epoch":"e","seq":%d,"members":[]}]`, p.ID, len(s.sent)))
	default:
		seq := len(s.sent) + 1
		event := message(content(p), seq)
		event = event[:len(event)-1] + `,"` + strconv.Itoa(seq) + `"]`
		s.sent = append(s.sent, event)
		for other := range s.sockets {
			_ = other.WriteMessage(websocket.TextMessage, []byte(event))
		}
		write(fmt.Sprintf(`43%d[{"ok":true,"seq":%d}]`, p.ID, seq))
	}
}

// dropOne runs a crowd of two, one of which is dropped.
func dropOne(t *testing.T, server *recovering, limit time.Duration) swarm.Outcome {
	t.Helper()
	server.sockets = map[*websocket.Conn]bool{}
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	s := lone(t, web.URL, swarm.Config{Clients: 2, Drop: 1, Dialers: 1, Sample: 1})
	connected(t, s)
	assert.Equal(t, 2, s.Recovers())
	p := plan()
	p.Warmup, p.Duration, p.Quiet, p.Senders = 0, 10*time.Second, shortQuiet, 2
	p.Drop = swarm.Drop{After: 50 * time.Millisecond, Limit: limit, Tail: 50 * time.Millisecond}
	out, err := s.Run(t.Context(), p)
	require.NoError(t, err)
	require.NotNil(t, out.Recovered)
	assert.Equal(t, 1, out.Recovered.Dropped)
	assert.Less(t, out.Intended, 5000, "sending ends soon after all are back")
	assert.Equal(t, out.Intended, out.Accepted)
	return out
}

func TestSwarm_drop(t *testing.T) {
	t.Parallel()
	t.Run("it claims its connection by the offset of its last event, and takes what comes before the answer", func(t *testing.T) {
		t.Parallel()
		server := &recovering{}
		out := dropOne(t, server, 10*time.Second)
		r := out.Recovered
		assert.Equal(t, []int{1, 1, 0, 1, 0}, []int{r.Back, r.Recovered, r.Rejoined, r.Whole, r.Retries})
		assert.Equal(t, tally.Deliveries{Expected: uint64(2 * out.Accepted), Received: uint64(2 * out.Accepted)}, out.Deliveries)
		assert.InDelta(t, 1, r.Share, 0)
		claims := server.returned()
		require.Len(t, claims, 1)
		assert.Equal(t, "token-of-test-user-1", claims[0].Token)
		assert.Equal(t, "2", claims[0].PID)
		assert.NotEmpty(t, claims[0].Offset)
	})
	t.Run("an attempt that fails is made again after a pause, and what was said meanwhile comes then", func(t *testing.T) {
		t.Parallel()
		out := dropOne(t, &recovering{unavailable: 1}, 10*time.Second)
		r := out.Recovered
		assert.Equal(t, []int{1, 1, 1, 1}, []int{r.Back, r.Recovered, r.Whole, r.Retries})
		assert.Equal(t, map[string]int{"upgrade answer: HTTP 503": 1}, r.Errors)
		assert.True(t, out.Deliveries.Clean())
		assert.Greater(t, r.LastBack, 450.0, "the pause is half a second at least")
		assert.Positive(t, r.Stayed.Count)
	})
	t.Run("one that is refused, or not back in time, stays away, and what it misses is lost", func(t *testing.T) {
		t.Parallel()
		for _, server := range []*recovering{{refuse: "TOKEN_EXPIRED"}, {unavailable: 100}} {
			out := dropOne(t, server, 200*time.Millisecond)
			r := out.Recovered
			assert.Equal(t, []int{0, 0, 0}, []int{r.Back, r.Recovered, r.Whole})
			assert.Zero(t, r.Share)
			assert.Positive(t, out.Deliveries.Lost)
			assert.InEpsilon(t, tally.Never.Seconds()*1000, r.BackTook.Max, 0.01)
			assert.InEpsilon(t, tally.Never.Seconds()*1000, r.CaughtUp.Max, 0.01)
			assert.LessOrEqual(t, len(server.returned()), 1, "who is refused does not ask again")
		}
	})
}

func TestNew_drop(t *testing.T) {
	for name, cfg := range map[string]swarm.Config{
		"everybody":                 {Clients: 2, Drop: 2},
		"who polls":                 {Clients: 2, Drop: 1, Polling: true},
		"beside who comes and goes": {Clients: 4, Drop: 1, Churn: 1},
		"beside who is stuck":       {Clients: 4, Drop: 1, Stalled: 1},
	} {
		cfg.URL, cfg.Token = "http://127.0.0.1:1", token
		_, err := swarm.New(cfg)
		assert.Error(t, err, name)
	}
}
