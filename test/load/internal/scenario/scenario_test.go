//go:build linux

package scenario_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"parley/test/load/internal/floor"
	"parley/test/load/internal/scenario"
	"parley/test/load/internal/swarm"
	"parley/test/load/internal/tally"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "a secret of at least thirty-two bytes"

// admit checks tokens as a server would.
func admit(body []byte) string {
	var auth struct{ Token string }
	claims := jwt.MapClaims{}
	if json.Unmarshal(body, &auth) != nil {
		return "INVALID_PAYLOAD"
	}
	_, err := jwt.ParseWithClaims(auth.Token, claims, func(*jwt.Token) (any, error) { return []byte(secret), nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired())
	if err != nil || claims["sub"] == "" || claims["conversations"] == nil {
		return "UNAUTHORIZED"
	}
	return ""
}

// config is a short run against a floor server within this process.
func config(t *testing.T, name string, server *floor.Server) scenario.Config {
	t.Helper()
	server.Admit = admit
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	return scenario.Config{
		Scenario: name, Server: web.URL, Secret: secret,
		Crowd: swarm.Config{Clients: 20},
		Plan: swarm.Plan{
			Rate: 400, Warmup: 50 * time.Millisecond, Duration: 200 * time.Millisecond, Size: 64, Senders: 2,
			Drain: 5 * time.Second, Quiet: time.Second,
		},
		MaxP99: time.Minute, MaxRate: 800,
	}
}

func TestRun(t *testing.T) {
	t.Run("a room reports deliveries, latency and use", func(t *testing.T) {
		cfg := config(t, scenario.Room, &floor.Server{})
		cfg.PID = os.Getpid() // where it is 0, nothing waits for this process to be quiet
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		assert.Equal(t, 20, r.Connect.Done)
		assert.Equal(t, 20, r.Join.Done)
		require.NotNil(t, r.Load)
		assert.Equal(t, tally.Deliveries{Expected: 2000, Received: 2000}, r.Load.Deliveries)
		assert.Empty(t, r.Load.Fault())
		assert.Equal(t, uint64(1600), r.Load.Latency.Count)
		assert.Positive(t, r.Load.ServerRSS)
		assert.Equal(t, 20, r.Users)
	})
	t.Run("many rooms deliver to their own members alone", func(t *testing.T) {
		cfg := config(t, scenario.Rooms, &floor.Server{})
		cfg.Crowd.Rooms = 10
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		assert.Equal(t, tally.Deliveries{Expected: 200, Received: 200}, r.Load.Deliveries)
	})
	t.Run("a storm connects and does not join", func(t *testing.T) {
		r, err := scenario.Run(t.Context(), config(t, scenario.Storm, &floor.Server{}))
		require.NoError(t, err)
		assert.Equal(t, 20, r.Connect.Done)
		assert.Nil(t, r.Join)
		assert.Nil(t, r.Load)
	})
	t.Run("idle reads memory at the start, half way and at the end", func(t *testing.T) {
		cfg := config(t, scenario.Idle, &floor.Server{})
		cfg.PID = os.Getpid()
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		require.NotNil(t, r.Memory)
		m := r.Memory
		assert.Equal(t, 20, m.Below)
		assert.Equal(t, 40, m.Held)
		assert.Zero(t, m.Dropped)
		assert.Positive(t, m.Start)
		assert.InDelta(t, float64(m.End-m.Start)/40, m.Each, 0.001)
		assert.InDelta(t, float64(m.End-m.Middle)/20, m.Marginal, 0.001)
		assert.False(t, r.Memory.GCForced, "no URL was given")
	})
	t.Run("in idle conversations something may have been said", func(t *testing.T) {
		cfg := config(t, scenario.Idle, &floor.Server{})
		cfg.PID, cfg.Crowd.Rooms, cfg.Spoken = os.Getpid(), 4, 10
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		require.NotNil(t, r.Load)
		assert.Empty(t, r.Load.Fault())
		assert.Equal(t, []int{40, 20}, []int{r.Load.Accepted, r.Load.Senders})
		assert.Equal(t, tally.Deliveries{Expected: 200, Received: 200}, r.Load.Deliveries, "each of the second crowd has got ten")
		assert.Equal(t, 40, r.Memory.Held)
	})
	t.Run("idle without a process id cannot be measured", func(t *testing.T) {
		cfg := config(t, scenario.Idle, &floor.Server{})
		_, err := scenario.Run(t.Context(), cfg)
		assert.Error(t, err)
	})
	t.Run("a wrong secret connects nobody, and the reason is reported", func(t *testing.T) {
		cfg := config(t, scenario.Storm, &floor.Server{})
		cfg.Secret = "another"
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		assert.Zero(t, r.Connect.Done)
		assert.Equal(t, map[string]int{"refused: UNAUTHORIZED": 20}, r.Connect.Errors)
	})
	t.Run("an unknown scenario and a process that is gone are errors", func(t *testing.T) {
		cfg := config(t, "else", &floor.Server{})
		_, err := scenario.Run(t.Context(), cfg)
		require.Error(t, err)
		cfg = config(t, scenario.Room, &floor.Server{})
		cfg.PID = 1 << 30
		_, err = scenario.Run(t.Context(), cfg)
		assert.Error(t, err)
	})
}

func TestRun_knee(t *testing.T) {
	t.Parallel()
	t.Run("the search ends at its limit when all rates hold", func(t *testing.T) {
		cfg := config(t, scenario.Room, &floor.Server{})
		cfg.FindKnee = true
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		require.NotNil(t, r.Knee)
		assert.InDelta(t, 800, r.Knee.Best, 0, "%+v", r.Knee.Trials)
		require.NotNil(t, r.Knee.At)
		assert.InDelta(t, 800, r.Knee.At.Rate, 0)
	})
	t.Run("a rate at which messages are lost does not hold, and the next one starts with a fresh crowd", func(t *testing.T) {
		var sent atomic.Int64
		server := &floor.Server{Deliver: func(receiver int, seq uint64, frame []byte, write func([]byte)) {
			if receiver == 7 && seq > 150 { // 400/s sends 100 in a conversation, 800/s 200 more
				sent.Add(1)
				return
			}
			write(frame)
		}}
		cfg := config(t, scenario.Room, server)
		cfg.FindKnee = true
		cfg.Plan.Quiet = 200 * time.Millisecond
		r, err := scenario.Run(t.Context(), cfg)
		require.NoError(t, err)
		assert.Positive(t, sent.Load())
		assert.GreaterOrEqual(t, r.Knee.Best, 400.0)
		assert.Less(t, r.Knee.Best, 800.0)
		assert.Contains(t, r.Knee.Trials[1].Why, "lost")
	})
}

func TestLoad_Fault(t *testing.T) {
	clean := func() scenario.Load { return scenario.Load{Accepted: 1} }
	good := clean()
	assert.Empty(t, good.Fault())
	for want, change := range map[string]func(*scenario.Load){
		"dropped":     func(l *scenario.Load) { l.Dropped = map[string]int{"why": 1} },
		"refused":     func(l *scenario.Load) { l.Refused = map[string]int{"RATE_LIMITED": 1} },
		"not written": func(l *scenario.Load) { l.Unsent = map[string]int{"why": 1} },
		"malformed":   func(l *scenario.Load) { l.Malformed = 1 },
		"1 lost":      func(l *scenario.Load) { l.Deliveries.Lost = 1 },
		"1 doubled":   func(l *scenario.Load) { l.Deliveries.Doubled = 1 },
		"1 reordered": func(l *scenario.Load) { l.Deliveries.Reordered = 1 },
		"unanswered":  func(l *scenario.Load) { l.Unanswered = 1 },
		"skipped":     func(l *scenario.Load) { l.SeqGaps = 1 },
	} {
		l := clean()
		change(&l)
		assert.Contains(t, l.Fault(), want)
	}
}
