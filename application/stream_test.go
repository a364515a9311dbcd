package application_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

func TestChat_Stream(t *testing.T) {
	t.Run("chunks are sent as they come, and at the end the whole message", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.recorder.take(s1)
			p := stream(talk, "m1")
			p.Content, p.Metadata = "so ", []byte(`{"k":1}`)
			assert.Equal(t, ports.Stream{Message: "m1", Next: 1}, w.open(p))
			w.write(talk, "m1", 1, "it ")
			w.write(talk, "m1", 2, "grows")
			receipt, err := w.CloseStream(ctx, talk, "m1", ports.AnyChunks)
			require.NoError(t, err)
			assert.Equal(t, ports.Receipt{Message: "m1", At: receipt.At, Accepted: time.Now()}, receipt)
			events := w.recorder.take(s1)
			require.Len(t, events, 4)
			assert.Equal(t, []domain.Event{written("m1", 0, "so "), written("m1", 1, "it "), written("m1", 2, "grows")}, events[:3])
			m := events[3].(domain.MessageSent).Message
			assert.Equal(t, domain.Draft{
				Conversation: talk, User: coach, ID: "m1", Content: "so it grows", Metadata: []byte(`{"k":1}`),
			}, m.Draft)
			assert.Equal(t, receipt.At.Seq, m.Seq)
			assert.Zero(t, w.UnderWay().StreamBytes)
			w.pass(2 * ports.DuplicateWindow)
			w.holdsNothing()
			assert.Empty(t, w.recorder.take(s1))
		})
	})
	t.Run("a stream without an id gets one", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			at := w.open(stream(talk, ""))
			assert.NotEmpty(t, at.Message)
			assert.NotEqual(t, at.Message, w.open(stream(talk, "")).Message)
			w.write(talk, at.Message, 0, "hello")
		})
	})
	t.Run("a stream is not completed with another number of chunks, before or after its end", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.open(stream(talk, "m1"))
			w.write(talk, "m1", 0, "so ")
			w.write(talk, "m1", 1, "it goes")
			w.recorder.take(s1)
			refused := func() {
				for _, chunks := range []int{0, 1, 3} {
					_, err := w.CloseStream(ctx, talk, "m1", chunks)
					assertCode(t, domain.CodeConflict, err)
				}
			}
			refused()
			assert.Empty(t, w.recorder.take(s1))
			_, err := w.CloseStream(ctx, talk, "m1", 2)
			require.NoError(t, err)
			assert.Len(t, messages(w.recorder.take(s1)), 1)
			refused()
			again, err := w.CloseStream(ctx, talk, "m1", 2)
			require.NoError(t, err)
			assert.True(t, again.Duplicate)
		})
	})
	t.Run("every call for a stream may be repeated", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			p := stream(talk, "m1")
			p.Content = "so "
			for range 3 {
				assert.Equal(t, 1, w.open(p).Next)
			}
			for range 3 {
				w.write(talk, "m1", 1, "it goes")
			}
			assert.Equal(t, 2, w.open(p).Next, "it says where it stands")
			assert.Len(t, w.chunks(s1), 2)
			first, err := w.CloseStream(ctx, talk, "m1", ports.AnyChunks)
			require.NoError(t, err)
			assert.Len(t, messages(w.recorder.take(s1)), 1)
			for range 3 {
				again, err := w.CloseStream(ctx, talk, "m1", ports.AnyChunks)
				require.NoError(t, err)
				assert.True(t, again.Duplicate)
				assert.Equal(t, first.At, again.At)
				at, err := w.AppendStream(ctx, talk, "m1", domain.Chunk{Index: 1, Delta: "it goes"})
				require.NoError(t, err)
				assert.Equal(t, 2, at.Next)
			}
			_, err = w.AppendStream(ctx, talk, "m1", domain.Chunk{Index: 2, Delta: "on"})
			assertCode(t, domain.CodeConflict, err)
			_, err = w.AppendStream(ctx, talk, "m1", domain.Chunk{Index: -1, Delta: "on"})
			assertCode(t, domain.CodeConflict, err)
			_, err = w.OpenStream(ctx, p)
			assertCode(t, domain.CodeConflict, err)
			assertCode(t, domain.CodeNotFound, w.AbortStream(ctx, talk, "m1"))
			assert.Empty(t, w.recorder.take(s1))
		})
	})
	t.Run("a call that is refused changes nothing", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.recorder.take(s1)
			for _, p := range []ports.Publish{
				{Conversation: talk, User: coach, ID: "m0", Content: strings.Repeat("x", maxContent+1)},
				{Conversation: talk, User: coach, ID: "m0", Content: "\xff"},
				{Conversation: talk, User: coach, ID: "m0", Metadata: make([]byte, domain.MaxMetadata+1)},
			} {
				_, err := w.OpenStream(ctx, p)
				require.Error(t, err)
			}
			w.holdsNothing()
			w.open(stream(talk, "m1"))
			_, err := w.CloseStream(ctx, talk, "m1", ports.AnyChunks)
			assertCode(t, domain.CodeInvalidPayload, err)
			_, err = w.OpenStream(ctx, ports.Publish{Conversation: talk, User: "another", ID: "m1"})
			assertCode(t, domain.CodeConflict, err)
			_, err = w.AppendStream(ctx, talk, "m1", domain.Chunk{Index: 1, Delta: "x"})
			assertCode(t, domain.CodeConflict, err)
			_, err = w.AppendStream(ctx, talk, "m1", domain.Chunk{Delta: strings.Repeat("x", maxContent+1)})
			assertCode(t, domain.CodePayloadTooLarge, err)
			for _, c := range []domain.ConversationID{talk, other} {
				_, err = w.AppendStream(ctx, c, "none", domain.Chunk{Delta: "x"})
				assertCode(t, domain.CodeNotFound, err)
				_, err = w.CloseStream(ctx, c, "none", ports.AnyChunks)
				assertCode(t, domain.CodeNotFound, err)
				assertCode(t, domain.CodeNotFound, w.AbortStream(ctx, c, "none"))
			}
			_, err = w.CloseStream(ctx, other, "m1", ports.AnyChunks)
			assertCode(t, domain.CodeNotFound, err)
			assert.Empty(t, w.recorder.take(s1))
			w.write(talk, "m1", 0, "hello")
		})
	})
	t.Run("the confirmation is asked for when the message is whole", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.enter("coach's", coach)
			p := stream(talk, "m1")
			p.Content, p.Confirm = "hello", true
			w.open(p)
			assert.Zero(t, w.UnderWay().Deliveries)
			_, err := w.CloseStream(ctx, talk, "m1", ports.AnyChunks)
			require.NoError(t, err)
			w.Confirm(ctx, s1, w.asked(s1)[0])
			w.expect("coach's", 1)
			w.pass(ports.DuplicateWindow)
		})
	})
}
