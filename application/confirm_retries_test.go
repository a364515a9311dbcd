package application_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/ports"
)

func TestChat_Confirm_retries(t *testing.T) {
	t.Run("connected users are asked as often if users who dropped are not waited for", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			w.pair()
			w.ask(s1, talk)
			w.pass(allTries - 1)
			assert.Len(t, w.asked(s2), 3)
			assert.Empty(t, w.reports(s1))
			w.pass(1)
			w.expect(s1, 1, bob)
		})
	})
	t.Run("a user who does not confirm is asked three times, with growing pauses, and is then pending", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			w.enter("s3", "eve", talk)
			w.ask(s1, talk)
			first := w.asked(s2)
			w.Confirm(ctx, "s3", w.asked("s3")[0])
			for _, pause := range []time.Duration{2 * time.Second, 4 * time.Second} {
				w.pass(pause - 1)
				require.Empty(t, w.asked(s2))
				w.pass(1)
				require.Equal(t, first, w.asked(s2), "with the same id")
				require.Empty(t, w.asked("s3"), "who has confirmed")
				for _, m := range messages(w.recorder.take(s1)) {
					assert.Equal(t, uint64(1), m.Seq)
				}
			}
			w.pass(8*time.Second - 1)
			assert.Empty(t, w.reports(s1))
			w.pass(1)
			w.expect(s1, 2, bob)
			assert.Empty(t, w.asked(s2))
			w.holdsNothing()
		})
	})
	t.Run("only the sessions that are in the conversation are asked again", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			w.enter("bob's other", bob, other)
			w.enter("bob's third", bob, talk)
			w.ask(s1, talk)
			require.NoError(t, w.Leave(ctx, "bob's third", talk))
			w.asked(s2)
			w.asked("bob's third")
			w.pass(2 * time.Second)
			assert.Len(t, w.asked(s2), 1)
			assert.Empty(t, w.asked("bob's other"))
			assert.Empty(t, w.asked("bob's third"))
		})
	})
	t.Run("a late confirmation counts until the last pause is over", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			w.ask(s1, talk)
			asked := w.asked(s2)
			w.pass(allTries - 1)
			w.Confirm(ctx, s2, asked[0])
			w.expect(s1, 1)
		})
	})
	t.Run("a user who was given up is not waited for, but may still confirm while others are", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.pair()
			w.enter("s3", "eve", talk)
			w.ask(s1, talk)
			asked := w.asked(s2)
			from := w.Disconnect(ctx, "s3", ports.Dropped)
			w.pass(allTries)
			assert.Empty(t, w.reports(s1))
			w.Confirm(ctx, s2, asked[0])
			require.True(t, w.recovers("s3", from))
			w.Confirm(ctx, "s3", asked[0])
			w.expect(s1, 2)
		})
	})
}
