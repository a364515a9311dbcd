package application_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/application"
	"parley/domain"
	"parley/ports"
)

func TestChat_Confirm_bounds(t *testing.T) {
	t.Run("one conversation may wait for 1000 messages", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk, other)
			w.enter(s2, bob, talk, other)
			var last domain.Message
			for range 1000 {
				last = w.ask(s1, talk)
			}
			_, err := w.Send(ctx, s1, ports.Send{Conversation: talk, Content: "hello", Confirm: true})
			assertCode(t, domain.CodeLimitExceeded, err)
			assert.Positive(t, domain.AsError(err).RetryAfter)
			again, err := w.Send(ctx, s1, ports.Send{Conversation: talk, ID: last.ID, Content: "hello", Confirm: true})
			require.NoError(t, err, "a repeat needs no place")
			assert.True(t, again.Duplicate)
			w.ask(s1, other)
			_, err = w.Send(ctx, s1, ports.Send{Conversation: talk, Content: "hello"})
			require.NoError(t, err, "messages that nobody confirms")
			require.NoError(t, w.Acknowledge(ctx, s2, talk, 1))
			w.ask(s1, talk)
			head, err := w.log.Head(ctx, talk)
			require.NoError(t, err)
			assert.Equal(t, uint64(1002), head.Seq, "what was refused is not in the log")
		})
	})
	t.Run("the deliveries that are under way are bounded in bytes, in one conversation and in all", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, application.Config{ConfirmWindow: window})
			var refused []domain.ConversationID
			large := strings.Repeat("x", 1<<20)
			w.connect(s1, ann)
			w.connect(s2, bob)
			for i := range 6 {
				c := domain.ConversationID(fmt.Sprint("c", i))
				w.join(s1, c)
				w.join(s2, c)
				sent := 0
				for ; sent < 40; sent++ {
					if _, err := w.Send(ctx, s1, ports.Send{Conversation: c, Content: large, Confirm: true}); err != nil {
						assertCode(t, domain.CodeLimitExceeded, err)
						refused = append(refused, c)
						break
					}
				}
				w.recorder.take(s2)
				if i < 4 {
					assert.Equal(t, 31, sent, "a quarter of 128 MiB")
				}
			}
			assert.Len(t, refused, 6)
			assert.LessOrEqual(t, w.UnderWay().DeliveryBytes, int64(128<<20))
			w.pass(allTries)
			w.holdsNothing()
		})
	})
}
