//go:build linux

package swarm_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/swarm"
	"parley/test/load/internal/tally"
	"parley/test/load/internal/wire"
)

// pollServer is one Engine.IO session over polling that is strict about what a client may do.
type pollServer struct {
	t      *testing.T
	answer func(p wire.Packet) []string // to what is posted
	spoil  func(w http.ResponseWriter, r *http.Request) (done bool)

	out     chan string // packets for the next polls
	polling atomic.Int32
	posting atomic.Int32

	mu     sync.Mutex
	posted []string
}

func (s *pollServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	assert.Equal(s.t, []string{"4", "polling"}, []string{q.Get("EIO"), q.Get("transport")})
	assert.NotEmpty(s.t, q.Get("t"))
	assert.NotEmpty(s.t, r.UserAgent())
	assert.Equal(s.t, "http://page.test", r.Header.Get("Origin"))
	if s.spoil != nil && s.spoil(w, r) {
		return
	}
	switch {
	case r.Method == http.MethodGet && q.Get("sid") == "":
		_, _ = io.WriteString(w, `0{"sid":"abc"}`)
	case q.Get("sid") != "abc":
		w.WriteHeader(http.StatusBadRequest)
	case r.Method == http.MethodPost:
		s.post(w, r)
	default:
		s.poll(w, r)
	}
}

func (s *pollServer) post(w http.ResponseWriter, r *http.Request) {
	assert.Equal(s.t, int32(1), s.posting.Add(1), "two posts at once")
	defer s.posting.Add(-1)
	assert.Equal(s.t, "text/plain;charset=UTF-8", r.Header.Get("Content-Type"))
	body, err := io.ReadAll(r.Body)
	assert.NoError(s.t, err)
	assert.LessOrEqual(s.t, len(body), 1_000_000)
	s.mu.Lock()
	s.posted = append(s.posted, string(body))
	s.mu.Unlock()
	for packet := range strings.SplitSeq(string(body), "\x1e") {
		switch p := wire.ParsePacket([]byte(packet)); {
		case strings.HasPrefix(packet, `40{"token":"token-of-test-user-`):
			s.out <- `40{"sid":"t"}`
		default:
			for _, text := range s.answer(p) {
				s.out <- text
			}
		}
	}
	_, _ = io.WriteString(w, "ok")
}

// poll answers with all that there is, as soon as there is something.
func (s *pollServer) poll(w http.ResponseWriter, r *http.Request) {
	assert.Equal(s.t, int32(1), s.polling.Add(1), "two polls at once")
	defer s.polling.Add(-1)
	select {
	case text := <-s.out:
		for more := true; more; {
			select {
			case next := <-s.out:
				text += "\x1e" + next
			default:
				more = false
			}
		}
		_, _ = io.WriteString(w, text)
	case <-r.Context().Done():
	}
}

// echoes answers joins and messages as a server with one member would.
func echoes() func(p wire.Packet) []string {
	seq := 0
	return func(p wire.Packet) []string {
		switch {
		case p.Kind != wire.Event: // a pong has no kind of its own
			return nil
		case isJoin(p):
			return []string{joinOK}
		}
		seq++
		return []string{message(content(p), seq), fmt.Sprintf(`43%d[{"ok":true,"seq":%d}]`, p.ID, seq)}
	}
}

// slowPosts lets a POST pass every 30 ms, as a slow network would.
func slowPosts() func(http.ResponseWriter, *http.Request) bool {
	pass := time.Tick(30 * time.Millisecond)
	return func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			<-pass
		}
		return false
	}
}

func polled(t *testing.T, server *pollServer) *swarm.Swarm {
	t.Helper()
	server.t, server.out = t, make(chan string, 1000)
	if server.answer == nil {
		server.answer = echoes()
	}
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	s := lone(t, web.URL, swarm.Config{Polling: true, Attempts: 1, Sample: 1, Origin: "http://page.test", Timeout: 5 * time.Second})
	return s
}

func TestSwarm_polling(t *testing.T) {
	t.Parallel()
	want := tally.Deliveries{Expected: 100, Received: 100}

	t.Run("one GET waits, one POST at a time takes what has gathered, and everything arrives", func(t *testing.T) {
		server := &pollServer{}
		s := polled(t, server)
		connected(t, s)
		out := run(t, s)
		assert.Equal(t, want, out.Deliveries)
		assert.Equal(t, 100, out.Accepted)
		assert.Equal(t, uint64(100), out.Checked)
		assert.Zero(t, out.Malformed, out.Example)
		assert.Equal(t, 1, s.Open())
	})

	t.Run("what is sent while a POST is under way goes out in the next one", func(t *testing.T) {
		server := &pollServer{spoil: slowPosts()}
		s := polled(t, server)
		connected(t, s)
		assert.Equal(t, want, run(t, s).Deliveries)
		server.mu.Lock()
		defer server.mu.Unlock()
		assert.Less(t, len(server.posted), 40)
	})

	t.Run("a POST holds no more than a server takes", func(t *testing.T) {
		server := &pollServer{spoil: slowPosts()}
		s := polled(t, server)
		connected(t, s)
		p := plan()
		p.Rate, p.Size = 300, 60_000
		out, err := s.Run(t.Context(), p)
		require.NoError(t, err)
		assert.True(t, out.Deliveries.Clean())
	})

	t.Run("a ping is answered by a POST", func(t *testing.T) {
		server := &pollServer{}
		inner, pongs := echoes(), make(chan struct{}, 1)
		server.answer = func(p wire.Packet) []string {
			if isJoin(p) {
				return append([]string{"2"}, inner(p)...)
			}
			if p.Kind == wire.Unknown {
				pongs <- struct{}{}
				return nil
			}
			return inner(p)
		}
		connected(t, polled(t, server))
		<-pongs
		server.mu.Lock()
		defer server.mu.Unlock()
		assert.Equal(t, "3", server.posted[len(server.posted)-1])
	})

	t.Run("connections that the server closes after each answer are opened again", func(t *testing.T) {
		setup := atomic.Int32{}
		server := &pollServer{spoil: func(w http.ResponseWriter, _ *http.Request) bool {
			if setup.Add(1) > 3 {
				w.Header().Set("Connection", "close")
			}
			return false
		}}
		s := polled(t, server)
		connected(t, s)
		assert.Equal(t, want, run(t, s).Deliveries)
	})

	for name, c := range map[string]struct {
		spoil func(w http.ResponseWriter, r *http.Request) bool
		want  string
	}{
		"a poll answered by a status": {func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet {
				return false
			}
			w.WriteHeader(http.StatusBadRequest)
			return true
		}, "GET: HTTP 400"},
		"a POST answered by a status": {func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPost {
				return false
			}
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return true
		}, "POST: HTTP 413"},
	} {
		t.Run(name+" ends the client, with the reason", func(t *testing.T) {
			var spoiled atomic.Bool
			server := &pollServer{spoil: func(w http.ResponseWriter, r *http.Request) bool { return spoiled.Load() && c.spoil(w, r) }}
			s := polled(t, server)
			connected(t, s)
			spoiled.Store(true)
			out := lossy(t, s)
			assert.Equal(t, map[string]int{c.want: 1}, out.Dropped)
			assert.Zero(t, s.Open())
		})
	}
}

func TestSwarm_pollingHandshake(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(w http.ResponseWriter, r *http.Request) bool
		want  string
	}{
		"a refusal": {func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet || r.URL.Query().Get("sid") == "" {
				return false
			}
			_, _ = io.WriteString(w, `44{"message":"no","data":{"code":"TOKEN_EXPIRED"}}`)
			return true
		}, "refused: TOKEN_EXPIRED"},
		"a status": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}, "engine.io open: HTTP 503"},
		"no session": {func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = io.WriteString(w, `0{}`)
			return true
		}, "engine.io open: unexpected packet \"{}\""},
	} {
		t.Run(name+" is reported", func(t *testing.T) {
			s := polled(t, &pollServer{spoil: c.spoil})
			connect, err := s.Connect(t.Context())
			require.NoError(t, err)
			assert.Equal(t, map[string]int{c.want: 1}, connect.Errors)
		})
	}
}
