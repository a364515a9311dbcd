package e2e_test

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	visits = 400
	// atOnce is how many visitors are connected at any time.
	atOnce = 16
)

// TestChurn has many visitors come, talk and leave at the same time, in every way a client can leave. A member that
// stays must see each visit exactly once: one user_joined, one message, one user_left.
func TestChurn(t *testing.T) {
	t.Parallel()
	s := boot(t, map[string]string{"PRESENCE_GRACE": "0s"})
	witness := s.connect(t, "witness", "lobby")
	said := watch(witness)

	tokens := make([]string, visits)
	for i := range tokens {
		tokens[i] = tokenFor(t, "visitor-"+strconv.Itoa(i))
	}
	var all sync.WaitGroup
	errs := make([]error, visits)
	for first := range atOnce {
		all.Go(func() {
			for i := first; i < visits; i += atOnce {
				errs[i] = visit(s.app.URL(), tokens[i])
			}
		})
	}
	all.Wait()
	for i, err := range errs {
		require.NoError(t, err, "visitor %d", i)
	}
	s.waitForConnections(t, 1, patience)

	seen := <-said
	require.NoError(t, seen.err)
	assert.Len(t, seen.visits, visits)
	for user, visit := range seen.visits {
		assert.Equal(t, "user_joined message user_left ", visit, user)
	}
	answer, err := witness.ask("presence", map[string]string{"conversationId": "lobby"})
	require.NoError(t, err)
	assert.Len(t, answer.Members, 1, "nobody is left but the witness")
}

// visit joins the lobby, sends one message, waits for its ack, and goes in a random way: by leaving the conversation,
// by a Socket.IO DISCONNECT, by an Engine.IO close, by a WebSocket close frame, or by dropping the TCP connection.
func visit(address, token string) error {
	r, err := arrive(address, token)
	if err != nil {
		return err
	}
	defer r.close()
	if _, err := r.say("lobby", "hello"); err != nil {
		return err
	}
	switch rand.IntN(5) {
	case 0:
		_, err = r.ask("leave_conversation", "lobby")
	case 1:
		err = r.write("41")
	case 2:
		err = r.write("1")
	case 3:
		err = r.writeBytes(frame(0x88, "\x03\xe8"))
	}
	return err
}

// sight is what the witness has seen when watch ends.
type sight struct {
	// visits holds, by user, the names of the events about that user in the order they came, each followed by a space.
	visits map[string]string
	err    error
}

// watch reads the witness's events until all visits are over or a read fails, and then sends what it saw.
func watch(witness *raw) <-chan sight {
	done := make(chan sight, 1)
	go func() {
		seen := sight{visits: map[string]string{}}
		for over := 0; over < visits && seen.err == nil; {
			var packet string
			if packet, seen.err = witness.read(); seen.err != nil {
				break
			}
			var payload struct {
				UserID string `json:"userId"`
			}
			var name string
			seen.err = json.Unmarshal([]byte(strings.TrimPrefix(packet, "42")), &[2]any{&name, &payload})
			seen.visits[payload.UserID] += name + " "
			if name == "user_left" {
				over++
			}
		}
		done <- seen
	}()
	return done
}
