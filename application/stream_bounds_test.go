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

func TestChat_Stream_bounds(t *testing.T) {
	t.Run("one conversation may have 16 open streams", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			for i := range 16 {
				w.open(stream(talk, domain.MessageID(fmt.Sprint("m", i))))
			}
			_, err := w.OpenStream(ctx, stream(talk, "m16"))
			assertCode(t, domain.CodeLimitExceeded, err)
			assert.Positive(t, domain.AsError(err).RetryAfter)
			w.open(stream(other, "m16"))
			w.write(talk, "m0", 0, "x")
			_, err = w.CloseStream(ctx, talk, "m0", ports.AnyChunks)
			require.NoError(t, err)
			w.open(stream(talk, "m16"))
			w.pass(2 * ports.DuplicateWindow)
		})
	})
	t.Run("the text of all streams together is bounded, for new streams and for chunks of open ones", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			w.unbound()
			var refusal error
			large := strings.Repeat("x", 1<<20)
			n := 0
			for i := range 8 {
				c := domain.ConversationID(fmt.Sprint("c", i))
				w.open(stream(c, "m"))
			}
			for ; refusal == nil && n < 1000; n++ {
				c := domain.ConversationID(fmt.Sprint("c", n%8))
				_, refusal = w.AppendStream(ctx, c, "m", domain.Chunk{Index: n / 8, Delta: large})
			}
			assertCode(t, domain.CodeLimitExceeded, refusal)
			assert.LessOrEqual(t, w.UnderWay().StreamBytes, 2*(64<<20))
			assert.Greater(t, n, 32)
			_, err := w.OpenStream(ctx, ports.Publish{Conversation: talk, User: coach, Content: large})
			assertCode(t, domain.CodeLimitExceeded, err)
			_, err = w.AppendStream(ctx, "c0", "m", domain.Chunk{Delta: large})
			require.NoError(t, err, "a repeat")
			w.pass(ports.StreamIdle)
			w.holdsNothing()
		})
	})
	t.Run("streams that were aborted leave nothing behind, however many", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			for range 1000 {
				w.open(stream(talk, "m1"))
				require.NoError(t, w.AbortStream(ctx, talk, "m1"))
			}
			w.holdsNothing()
		})
	})
	t.Run("the receipts of 11000 complete streams do not keep others from beginning", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			for i := range 11_000 {
				p := stream(domain.ConversationID(fmt.Sprint("c", i)), "m")
				p.Content, p.Metadata = "x", []byte(`{"k":1}`)
				w.open(p)
				_, err := w.CloseStream(ctx, p.Conversation, "m", ports.AnyChunks)
				require.NoError(t, err)
			}
			assert.Equal(t, application.UnderWay{Streams: 11_000}, w.UnderWay())
			w.pass(2 * ports.DuplicateWindow)
			w.holdsNothing()
		})
	})
}
