package application_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/application"
	"parley/domain"
	"parley/ports"
)

const (
	talk  domain.ConversationID = "talk"
	other domain.ConversationID = "other"
	third domain.ConversationID = "third"
	// grace is the presence grace of all tests that do not set another.
	grace = 10 * time.Second
	// maxContent is the bound of contents in all tests, in bytes.
	maxContent = 100
)

const (
	s1  domain.SessionID = "s1"
	s2  domain.SessionID = "s2"
	ann domain.UserID    = "ann"
	bob domain.UserID    = "bob"
	// nobody is the exception of a broadcast that excepts no session.
	nobody domain.SessionID = ""
)

// ctx is the caller's context: calls that should be given it are expected with it.
var ctx = context.WithValue(context.Background(), key{}, "the caller's")

type key struct{}

var errStore = domain.Errorf(domain.CodeUnavailable, "the store is away")

func config() application.Config {
	return application.Config{Access: domain.AccessClaims, MaxContent: maxContent, PresenceGrace: grace}
}

// at is a position in the epoch of most tests.
func at(seq uint64) domain.Position { return domain.Position{Epoch: "e1", Seq: seq} }

func place(c domain.ConversationID, seq uint64) domain.Place {
	return domain.Place{Conversation: c, At: at(seq)}
}

func absence(user domain.UserID, places ...domain.Place) domain.Absence {
	return domain.Absence{User: user, Places: places}
}

func assertCode(t *testing.T, code domain.Code, err error) {
	t.Helper()
	require.Error(t, err)
	assert.Equal(t, code, domain.AsError(err).Code, "%v", err)
}

// refused is assertCode for goroutines other than the test's own, which may not end the test.
func refused(t *testing.T, code domain.Code, err error) {
	t.Helper()
	if assert.Error(t, err) {
		assert.Equal(t, code, domain.AsError(err).Code)
	}
}

func session(i int) domain.SessionID { return domain.SessionID(fmt.Sprint("s", i)) }

// seeds returns the seeds to play random histories with: only the one that was asked for, or a few fixed ones and a
// random one if that is 0.
func seeds(only uint64) []uint64 {
	if only != 0 {
		return []uint64{only}
	}
	return []uint64{1, 2, 3, 4, rand.Uint64()}
}

// messages returns the messages among the events.
func messages(events []domain.Event) []domain.Message {
	var all []domain.Message
	for _, e := range events {
		if sent, ok := e.(domain.MessageSent); ok {
			all = append(all, sent.Message)
		}
	}
	return all
}

func ids(sessions []ports.Session) (all []domain.SessionID) {
	for s := range slices.Values(sessions) {
		all = append(all, s.ID)
	}
	return all
}

// said returns n messages of the conversation, beginning with the seq.
func said(c domain.ConversationID, from uint64, n int) []domain.Message {
	ms := make([]domain.Message, n)
	for i := range ms {
		ms[i] = domain.Message{
			Draft: domain.Draft{Conversation: c, User: bob, Content: strings.Repeat("x", i%3)}, Seq: from + uint64(i), Epoch: "e1",
		}
	}
	return ms
}
