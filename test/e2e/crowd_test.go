package e2e_test

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	crowd = 1000
	// people is how many users the crowd's sessions belong to. Each user that joins is announced to all who are there, so
	// a thousand users would cost half a million events before the first message.
	people  = 250
	senders = 5
	// saying is how many messages each sender sends.
	saying = 20
	// crowdTime bounds everything after the last one has joined.
	crowdTime = 3 * time.Minute
)

// TestCrowd has several senders talk in a room of a thousand: every member must hear every message once, and all in the
// same order.
func TestCrowd(t *testing.T) {
	// Members answer no pings until all have joined.
	s := boot(t, map[string]string{"PING_TIMEOUT": "10m"})
	members := gather(t, s)
	deadline := time.Now().Add(crowdTime)

	var all sync.WaitGroup
	heard := make([][]string, crowd)
	errs := make([]error, crowd)
	for i, member := range members {
		all.Go(func() { heard[i], errs[i] = member.listen(senders*saying, deadline) })
	}
	for i := range senders {
		all.Go(func() {
			for n := range saying {
				// No ack is asked for, because only listen reads from this connection.
				packet := fmt.Sprintf(`42["message",{"conversationId":"lobby","content":"%d"}]`, n)
				if err := members[i].write(packet); err != nil {
					t.Errorf("sender %d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()

	for i := range members {
		require.NoError(t, errs[i], "member %d", i)
		require.Equal(t, heard[0], heard[i], "member %d hears what the first one hears", i)
	}
	next := map[string]int{}
	for i, message := range heard[0] {
		seq, rest, _ := strings.Cut(message, " ")
		user, content, _ := strings.Cut(rest, " ")
		require.Equal(t, strconv.Itoa(i+1), seq, "no gap and no repeat")
		require.Equal(t, strconv.Itoa(next[user]), content, "%s's messages keep their order", user)
		next[user]++
	}
	assert.Len(t, next, senders)

	for _, member := range members {
		member.close()
	}
	s.waitForConnections(t, 0, patience)
}

// gather connects the crowd, 16 at a time.
func gather(t *testing.T, s *server) []*raw {
	t.Helper()
	members := make([]*raw, crowd)
	errs := make([]error, crowd)
	t.Cleanup(func() {
		for _, member := range members {
			if member != nil {
				member.close()
			}
		}
	})
	tokens := make([]string, crowd)
	for i := range tokens {
		tokens[i] = tokenFor(t, "member-"+strconv.Itoa(i%people))
	}
	var connecting sync.WaitGroup
	turns := make(chan int)
	for range 16 {
		connecting.Go(func() {
			for i := range turns {
				members[i], errs[i] = arrive(s.app.URL(), tokens[i])
			}
		})
	}
	for i := range crowd {
		turns <- i
	}
	close(turns)
	connecting.Wait()
	for i, err := range errs {
		require.NoError(t, err, "member %d", i)
	}
	return members
}

// arrive connects with the token and joins the lobby. After an error the connection may be open and is returned.
func arrive(address, token string) (*raw, error) {
	r, err := dial(address, &net.Dialer{Timeout: patience})
	if err != nil {
		return nil, err
	}
	if err = r.enter(token); err == nil {
		_, err = r.ask("join_conversation", "lobby")
	}
	return r, err
}

// listen returns the first n messages, each as "seq user content".
func (r *raw) listen(n int, deadline time.Time) ([]string, error) {
	heard := make([]string, 0, n)
	for len(heard) < n {
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("heard %d messages of %d in time", len(heard), n)
		}
		packet, err := r.readUntil(`42["message",`)
		if err != nil {
			return nil, fmt.Errorf("after %d messages of %d: %w", len(heard), n, err)
		}
		var message struct {
			Seq     uint64 `json:"seq"`
			UserID  string `json:"userId"`
			Content string `json:"content"`
		}
		if err := json.Unmarshal([]byte(strings.TrimSuffix(packet, "]")), &message); err != nil {
			return nil, err
		}
		heard = append(heard, fmt.Sprintf("%d %s %s", message.Seq, message.UserID, message.Content))
	}
	return heard, nil
}
