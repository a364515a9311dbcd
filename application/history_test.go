package application_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

func TestChat_History(t *testing.T) {
	t.Run("a session in the conversation reads its log, page by page", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk, other)
			for i := range 120 {
				_, err := w.Send(ctx, s1, ports.Send{Conversation: talk, Content: fmt.Sprint(i + 1)})
				require.NoError(t, err)
			}
			h, err := w.History(ctx, s1, talk, domain.Page{Limit: 10})
			require.NoError(t, err)
			assert.True(t, h.More)
			require.Len(t, h.Messages, 10)
			assert.Equal(t, "111", h.Messages[0].Content)
			h, err = w.History(ctx, s1, talk, domain.Page{Before: &h.Messages[0].Seq, Limit: 200})
			require.NoError(t, err)
			assert.False(t, h.More)
			assert.Len(t, h.Messages, 110)
			h, err = w.History(ctx, s1, other, domain.Page{})
			require.NoError(t, err)
			assert.Empty(t, h.Messages)
			assert.NotEmpty(t, h.Epoch)
		})
	})
	for asked, given := range map[int]int{-1: 50, 0: 50, 1: 1, 200: 200, 201: 200, 1 << 30: 200} {
		t.Run(fmt.Sprintf("a client that asks for %d messages gets %d at most", asked, given), func(t *testing.T) {
			onMocks(t, config(), func(t *testing.T, f *fixture) {
				f.enter(s1, ann, talk)
				want := domain.History{Epoch: "e1", More: true}
				f.log.EXPECT().Page(ctx, talk, domain.Page{Limit: given, MaxBytes: 1 << 20}).Return(want, nil)
				got, err := f.History(ctx, s1, talk, domain.Page{Limit: asked, MaxBytes: 1 << 40})
				require.NoError(t, err)
				assert.Equal(t, want, got)
			})
		})
	}
	t.Run("a backend says itself how much it reads", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			page := domain.Page{Limit: 5000, MaxBytes: 7}
			want := domain.History{Epoch: "e1", More: true}
			f.log.EXPECT().Page(ctx, talk, page).Return(want, nil)
			got, err := f.Messages(ctx, talk, page)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	})
	t.Run("a session without permission, outside the conversation or unknown is refused", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.connect(s1, ann, "talk")
			_, err := f.History(ctx, s1, other, domain.Page{})
			assertCode(t, domain.CodeForbidden, err)
			_, err = f.History(ctx, s1, talk, domain.Page{})
			assertCode(t, domain.CodeNotInConversation, err)
			_, err = f.History(ctx, "nobody", talk, domain.Page{})
			assertCode(t, domain.CodeUnavailable, err)
		})
	})
	t.Run("the failure of the log is returned", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.enter(s1, ann, talk)
			f.log.EXPECT().Page(ctx, talk, domain.Page{Limit: 50, MaxBytes: 1 << 20}).Return(domain.History{}, errStore)
			_, err := f.History(ctx, s1, talk, domain.Page{})
			assertCode(t, domain.CodeUnavailable, err)
		})
	})
}

func TestChat_Publish(t *testing.T) {
	t.Run("a user who is not there speaks to all, and a repeat is silent", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.recorder.take(s1)
			p := ports.Publish{Conversation: talk, User: coach, ID: "m1", Content: "hello", Metadata: []byte(`{"k":1}`)}
			receipt, err := w.Publish(ctx, p)
			require.NoError(t, err)
			assert.Equal(t, domain.MessageID("m1"), receipt.Message)
			got := messages(w.recorder.take(s1))
			require.Len(t, got, 1)
			assert.Equal(t, domain.Draft{
				Conversation: talk, User: coach, ID: "m1", Content: "hello", Metadata: []byte(`{"k":1}`),
			}, got[0].Draft)
			again, err := w.Publish(ctx, p)
			require.NoError(t, err)
			assert.True(t, again.Duplicate)
			assert.Equal(t, receipt.At, again.At)
			assert.Empty(t, w.recorder.take(s1))
			assert.Equal(t, []domain.UserID{ann}, w.members(talk), "it is no member by that")
		})
	})
	t.Run("each publication without an id is another message", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			for i := range 3 {
				r, err := w.Publish(ctx, ports.Publish{Conversation: talk, User: coach, Content: "hello"})
				require.NoError(t, err)
				assert.Equal(t, uint64(i+1), r.At.Seq)
				assert.NotEmpty(t, r.Message)
			}
		})
	})
	t.Run("a publication that is malformed, too large or too late is refused", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			p := ports.Publish{Conversation: talk, User: coach}
			_, err := f.Publish(ctx, p)
			assertCode(t, domain.CodeInvalidPayload, err)
			p.Content = strings.Repeat("x", maxContent+1)
			_, err = f.Publish(ctx, p)
			assertCode(t, domain.CodePayloadTooLarge, err)
			p.Content = "hello"
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return(nil, errStore)
			_, err = f.Publish(ctx, p)
			assertCode(t, domain.CodeUnavailable, err)
			f.Close()
			_, err = f.Publish(ctx, p)
			assertCode(t, domain.CodeDraining, err)
			assert.Positive(t, domain.AsError(err).RetryAfter)
		})
	})
}
