package application_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
)

func TestChat_Acknowledge(t *testing.T) {
	t.Run("an acknowledgment confirms everything up to its seq, in its conversation alone", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk, other)
			w.enter(s2, bob, talk, other)
			for range 3 {
				w.ask(s1, talk)
			}
			w.ask(s1, other)
			require.NoError(t, w.Acknowledge(ctx, s2, talk, 0))
			assert.Empty(t, w.reports(s1))
			require.NoError(t, w.Acknowledge(ctx, s2, talk, 2))
			reports := w.reports(s1)
			require.Len(t, reports, 2)
			for i, r := range reports {
				assert.Equal(t, uint64(i+1), r.Seq)
				assert.Equal(t, talk, r.Conversation)
				assert.Equal(t, 1, r.Delivered)
			}
			require.NoError(t, w.Acknowledge(ctx, s2, talk, 1<<63))
			w.expect(s1, 1)
			require.NoError(t, w.Acknowledge(ctx, s2, other, 1))
			w.expect(s1, 1)
			w.holdsNothing()
		})
	})
	t.Run("an acknowledgment without permission, from outside or without a session is refused", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "talk")
			assertCode(t, domain.CodeForbidden, f.Acknowledge(ctx, s1, other, 1))
			assertCode(t, domain.CodeNotInConversation, f.Acknowledge(ctx, s1, talk, 1))
			assertCode(t, domain.CodeUnavailable, f.Acknowledge(ctx, "nobody", talk, 1))
		})
	})
}
