package application_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/application"
	"parley/domain"
	"parley/ports"
)

func TestChat_Stream_ends(t *testing.T) {
	t.Run("an abort is told, and the stream may begin anew", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.open(stream(talk, "m1"))
			w.write(talk, "m1", 0, "so ")
			w.chunks(s1)
			require.NoError(t, w.AbortStream(ctx, talk, "m1"))
			assert.Equal(t, []domain.ChunkAppended{abortedAt("m1", 1)}, w.chunks(s1))
			w.holdsNothing()
			assertCode(t, domain.CodeNotFound, w.AbortStream(ctx, talk, "m1"))
			assert.Zero(t, w.open(stream(talk, "m1")).Next)
			w.pass(ports.StreamIdle - 1)
			w.write(talk, "m1", 0, "no timer of the first life ends the second")
			w.pass(ports.StreamIdle - 1)
			assert.Len(t, w.chunks(s1), 1)
		})
	})
	t.Run("a stream that gets no chunk for a minute is aborted", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.open(stream(talk, "m1"))
			for i := range 5 {
				w.pass(ports.StreamIdle - 1)
				w.write(talk, "m1", i, "x")
			}
			w.chunks(s1)
			w.pass(ports.StreamIdle - 1)
			w.write(talk, "m1", 4, "x") // a repeat does not keep the stream open
			assert.Empty(t, w.chunks(s1))
			w.pass(1)
			assert.Equal(t, []domain.ChunkAppended{abortedAt("m1", 5)}, w.chunks(s1))
			_, err := w.AppendStream(ctx, talk, "m1", domain.Chunk{Index: 5, Delta: "x"})
			assertCode(t, domain.CodeNotFound, err)
			w.holdsNothing()
		})
	})
	t.Run("a stream that was never written to is aborted", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.open(stream(talk, "m1"))
			w.pass(ports.StreamIdle)
			w.holdsNothing()
		})
	})
	t.Run("a store that fails when an idle stream is to be aborted is asked again", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			_, err := f.OpenStream(ctx, stream(talk, "m1"))
			require.NoError(t, err)
			f.rooms.EXPECT().Sessions(live{}, talk.Room()).Return(nil, errStore)
			f.pass(ports.StreamIdle)
			assert.Contains(t, f.logged.String(), "an idle stream was not ended")
			f.rooms.EXPECT().Sessions(live{}, talk.Room()).Return([]domain.SessionID{s1}, nil)
			f.out.EXPECT().Broadcast([]domain.SessionID{s1}, domain.SessionID(""), abortedAt("m1", 0))
			f.pass(ports.StreamIdle)
			assert.Zero(t, f.WaitingTimers())
			assert.Equal(t, application.UnderWay{}, f.UnderWay())
		})
	})
	t.Run("a log that refuses the message leaves the stream open", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			p := stream(talk, "m1")
			p.Content = "hello"
			f.rooms.EXPECT().Sessions(ctx, talk.Room()).Return(nil, nil).Times(3)
			f.out.EXPECT().Broadcast(nil, domain.SessionID(""), written("m1", 0, "hello"))
			_, err := f.OpenStream(ctx, p)
			require.NoError(t, err)
			d := domain.Draft{Conversation: talk, User: coach, ID: "m1", Content: "hello"}
			f.log.EXPECT().Append(ctx, d, time.Now()).Return(domain.Message{}, false, errStore)
			_, err = f.CloseStream(ctx, talk, "m1", ports.AnyChunks)
			assertCode(t, domain.CodeUnavailable, err)
			f.log.EXPECT().Append(ctx, d, time.Now()).Return(domain.Message{Draft: d, Seq: 1}, false, nil)
			f.out.EXPECT().Broadcast(nil, domain.SessionID(""), domain.MessageSent{Message: domain.Message{Draft: d, Seq: 1}})
			_, err = f.CloseStream(ctx, talk, "m1", ports.AnyChunks)
			require.NoError(t, err)
		})
	})
	t.Run("a message that is published whole completes its stream", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.open(stream(talk, "m1"))
			w.write(talk, "m1", 0, "so ")
			w.recorder.take(s1)
			receipt, err := w.Publish(ctx, ports.Publish{Conversation: talk, User: coach, ID: "m1", Content: "so it goes"})
			require.NoError(t, err)
			assert.Len(t, w.recorder.take(s1), 1)
			again, err := w.CloseStream(ctx, talk, "m1", ports.AnyChunks)
			require.NoError(t, err)
			assert.Equal(t, receipt.At, again.At)
			assert.True(t, again.Duplicate)
			assert.Zero(t, w.UnderWay().Open)
		})
	})
	t.Run("another user's message with the same id does not complete the stream", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.open(stream(talk, "m1"))
			_, err := w.Send(ctx, s1, ports.Send{Conversation: talk, ID: "m1", Content: "mine"})
			require.NoError(t, err)
			w.write(talk, "m1", 0, "hello")
			_, err = w.CloseStream(ctx, talk, "m1", ports.AnyChunks)
			require.NoError(t, err)
			assert.Len(t, messages(w.recorder.take(s1)), 2)
		})
	})
	t.Run("the chunks of a message that was accepted before its stream was opened are taken back", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			first, err := w.Publish(ctx, ports.Publish{Conversation: talk, User: coach, ID: "m1", Content: "so it goes"})
			require.NoError(t, err)
			w.open(stream(talk, "m1"))
			w.write(talk, "m1", 0, "so ")
			w.recorder.take(s1)
			receipt, err := w.CloseStream(ctx, talk, "m1", ports.AnyChunks)
			require.NoError(t, err)
			assert.True(t, receipt.Duplicate)
			assert.Equal(t, first.At, receipt.At)
			assert.Equal(t, []domain.Event{abortedAt("m1", 1)}, w.recorder.take(s1))
			assert.Zero(t, w.UnderWay().Open)
		})
	})
	t.Run("a server that is about to stop aborts open streams, keeps receipts and begins nothing", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			for _, id := range []domain.MessageID{"m1", "m2", "m3"} {
				w.open(stream(talk, id))
				w.write(talk, id, 0, "x")
			}
			_, err := w.CloseStream(ctx, talk, "m2", ports.AnyChunks)
			require.NoError(t, err)
			w.recorder.take(s1)
			w.Close()
			assert.ElementsMatch(t, []domain.ChunkAppended{abortedAt("m1", 1), abortedAt("m3", 1)}, w.chunks(s1))
			again, err := w.CloseStream(ctx, talk, "m2", ports.AnyChunks)
			require.NoError(t, err)
			assert.True(t, again.Duplicate)
			_, err = w.OpenStream(ctx, stream(talk, "m4"))
			assertCode(t, domain.CodeDraining, err)
			_, err = w.AppendStream(ctx, talk, "m1", domain.Chunk{Index: 1, Delta: "x"})
			assertCode(t, domain.CodeDraining, err)
			assert.Equal(t, 1, w.UnderWay().Streams, "the receipt")
		})
	})
}
