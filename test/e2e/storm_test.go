package e2e_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	// Each of stormClients joins half of the stormRooms and sends stormBurst messages without waiting for answers.
	stormClients = 24
	stormRooms   = 40
	stormBurst   = 50
	// stormLarge is how many of each client's messages have the largest content allowed, 65,536 bytes.
	stormLarge = 1
)

// TestStorm has many clients send at once to many rooms, small messages and large ones. Each must hear every message of
// its rooms once, in the same order as the other members.
func TestStorm(t *testing.T) {
	t.Parallel()
	s := boot(t, map[string]string{"OUTBOX_BYTES": "0"})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	clients := make([]*raw, stormClients)
	rooms := make([][]string, stormClients)
	said := map[string]int{} // by room
	plans := make([][]string, stormClients)
	for i := range clients {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		for _, r := range random.Perm(stormRooms)[:stormRooms/2] {
			rooms[i] = append(rooms[i], "storm-"+strconv.Itoa(r))
		}
		clients[i] = s.connect(t, "storm-user-"+strconv.Itoa(i), rooms[i]...)
		for n := range stormBurst {
			room := rooms[i][random.IntN(len(rooms[i]))]
			said[room]++
			content := fmt.Sprintf("%d %d ", i, n)
			if n < stormLarge {
				content += strings.Repeat("x", 65_536-len(content))
			}
			plans[i] = append(plans[i], fmt.Sprintf(`42["message",{"conversationId":%q,"content":%q}]`, room, content))
		}
	}

	heard := make([]map[string][]string, stormClients)
	errs := make([]error, stormClients)
	var all sync.WaitGroup
	for i := range clients {
		want := 0
		for _, room := range rooms[i] {
			want += said[room]
		}
		all.Go(func() { heard[i], errs[i] = clients[i].listenByRoom(want) })
		all.Go(func() {
			for _, packet := range plans[i] {
				assert.NoError(t, clients[i].write(packet), "client %d", i)
			}
		})
	}
	all.Wait()

	truth, total := map[string][]string{}, 0
	for i := range clients {
		require.NoError(t, errs[i], "client %d", i)
		for _, room := range rooms[i] {
			require.Len(t, heard[i][room], said[room], "client %d in %s", i, room)
			if truth[room] == nil {
				truth[room] = heard[i][room]
			}
			require.Equal(t, truth[room], heard[i][room], "client %d hears %s as the others do", i, room)
			total += said[room]
		}
	}
	assertSenders(t, truth)
	t.Logf("%d messages in %d rooms, %d deliveries, none lost, doubled or out of order", stormClients*stormBurst, len(truth), total)
}

// assertSenders asserts that in each room the messages of any one sender are in the order in which it sent them.
func assertSenders(t *testing.T, truth map[string][]string) {
	t.Helper()
	for room, messages := range truth {
		last := map[int]int{}
		for _, m := range messages {
			var seq, from, number int
			_, err := fmt.Sscanf(m, "%d %d %d", &seq, &from, &number)
			require.NoError(t, err)
			before, spoke := last[from]
			require.True(t, !spoke || number > before, "%s: %q after %d", room, m, before)
			last[from] = number
		}
	}
}

// listenByRoom returns the first n messages by room, each as "seq content" with the content cut to 16 bytes. A seq that
// is not the previous one plus one is an error.
func (r *raw) listenByRoom(n int) (map[string][]string, error) {
	heard := map[string][]string{}
	for range n {
		packet, err := r.readUntil(`42["message",`)
		if err != nil {
			return nil, err
		}
		var m struct {
			ConversationID string `json:"conversationId"`
			Content        string `json:"content"`
			Seq            int    `json:"seq"`
		}
		if err := json.Unmarshal([]byte(strings.TrimSuffix(packet, "]")), &m); err != nil {
			return nil, err
		}
		here := heard[m.ConversationID]
		if m.Seq != len(here)+1 {
			return nil, fmt.Errorf("%s: seq %d after %d", m.ConversationID, m.Seq, len(here))
		}
		text := fmt.Sprintf("%d %s", m.Seq, m.Content[:min(len(m.Content), 16)])
		heard[m.ConversationID] = append(here, text)
	}
	return heard, nil
}
