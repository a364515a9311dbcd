package engineio_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

// upgrader is a client that uses polling and changes to a WebSocket on the way, as the official one does: it pauses
// polling, waits for the current poll and POST to be answered, and then sends the upgrade packet.
type upgrader struct {
	*pollingClient
	t     *testing.T
	http  *http.Client
	heard []string
	said  int
}

func newUpgrader(t *testing.T, k *kit) *upgrader {
	transport := &http.Transport{DialContext: k.dialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return &upgrader{pollingClient: k.handshake(), t: t, http: &http.Client{Transport: transport}}
}

// pollUntil polls until stop is closed and the current poll has been answered.
func (u *upgrader) pollUntil(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		resp, err := u.http.Get("http://example.test" + u.target)
		if !assert.NoError(u.t, err) {
			return
		}
		got := readAnswer(resp)
		if !assert.Equal(u.t, http.StatusOK, got.status, got.body) {
			return
		}
		for packet := range strings.SplitSeq(got.body, "\x1e") {
			u.hear(packet)
		}
	}
}

// postUntil posts numbers, two at a time, until stop is closed.
func (u *upgrader) postUntil(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		resp, err := u.http.Post("http://example.test"+u.target, "text/plain", strings.NewReader(fmt.Sprintf("4%d\x1e4%d", u.said, u.said+1)))
		if !assert.NoError(u.t, err) || !assert.Equal(u.t, "ok", readAnswer(resp).body) {
			return
		}
		u.said += 2
	}
}

func (u *upgrader) hear(packet string) {
	if packet != "6" {
		u.heard = append(u.heard, packet)
	}
}

func TestTCP_Upgrade(t *testing.T) {
	t.Run("an upgrade under traffic in both directions loses, doubles and reorders nothing", func(t *testing.T) {
		const total = 1500
		for round := range 5 {
			r := &room{members: make(map[*engineio.Session]bool)}
			k := onLoopback(t, engineio.Config{OutboxBytes: 16 << 20}, r.join)
			u := newUpgrader(t, k)
			done, stop := make(chan struct{}), make(chan struct{})
			var counting, polling sync.WaitGroup
			counting.Go(func() { r.countUntil(done) })
			polling.Go(func() { u.pollUntil(stop) })
			polling.Go(func() { u.postUntil(stop) })
			require.Eventually(t, func() bool { return len(u.peer.got()) > 20*round }, patience, tick)

			ws := u.probe()
			close(stop)
			polling.Wait()
			ws.sendText("5", fmt.Sprintf("4%d", u.said))
			for i := range 100 {
				ws.sendText(fmt.Sprintf("4%d", u.said+1+i))
			}
			for len(u.heard) < total {
				f := ws.read()
				require.Equal(t, websocket.OpText, f.op)
				require.NotEqual(t, "6", f.data, "noops are for polls")
				u.heard = append(u.heard, f.data)
			}
			close(done)
			counting.Wait()
			for i, packet := range u.heard {
				require.Equal(t, fmt.Sprintf("4%d", i+1), packet, "round %d", round)
			}
			require.Eventually(t, func() bool { return len(u.peer.got()) == u.said+101 }, patience, tick)
			for i, message := range u.peer.got() {
				require.Equal(t, fmt.Sprint(i), message)
			}
		}
	})
}
