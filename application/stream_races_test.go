package application_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

// TestChat_stream_races lets several backends write the same messages, abort and close them.
func TestChat_stream_races(t *testing.T) {
	const writers, rounds = 4, 40
	inWorld(t, func(t *testing.T, w *world) {
		w.enter("listener", "eve", talk)
		for round := range rounds {
			id := domain.MessageID(fmt.Sprint("m", round))
			want := ""
			for n := range 20 {
				want += fmt.Sprint(n, ";")
			}
			var all sync.WaitGroup
			for i := range writers {
				all.Go(func() {
					_, err := w.OpenStream(ctx, stream(talk, id))
					for n := 0; err == nil && n < 20; n++ {
						_, err = w.AppendStream(ctx, talk, id, domain.Chunk{Index: n, Delta: fmt.Sprint(n, ";")})
					}
					if err == nil {
						_, err = w.CloseStream(ctx, talk, id, ports.AnyChunks)
					}
					if err != nil {
						// Another writer has closed it already.
						assert.Equal(t, domain.CodeConflict, domain.AsError(err).Code, "%d: %v", i, err)
					}
				})
			}
			all.Wait()
			next := 0
			for _, e := range w.recorder.take("listener") {
				switch e := e.(type) {
				case domain.ChunkAppended:
					require.Equal(t, next, e.Chunk.Index)
					require.False(t, e.Aborted)
					next++
				case domain.MessageSent:
					require.Equal(t, want, e.Message.Content)
					next += 1000
				}
			}
			require.Equal(t, 1020, next, "each chunk once, and the message once")
		}
	})
}

// TestChat_stream_idle_races aborts messages at the moment when they have been idle for too long: each ends once.
func TestChat_stream_idle_races(t *testing.T) {
	const answers, rounds = 16, 20
	inWorld(t, func(t *testing.T, w *world) {
		w.enter("listener", "eve", talk)
		for range rounds {
			for i := range answers {
				w.open(stream(talk, domain.MessageID(fmt.Sprint("m", i))))
			}
			w.recorder.take("listener")
			var all sync.WaitGroup
			for i := range answers {
				all.Go(func() {
					time.Sleep(ports.StreamIdle)
					if err := w.AbortStream(ctx, talk, domain.MessageID(fmt.Sprint("m", i))); err != nil {
						assert.Equal(t, domain.CodeNotFound, domain.AsError(err).Code)
					}
				})
			}
			all.Wait()
			synctest.Wait()
			assert.Len(t, w.recorder.take("listener"), answers)
			w.holdsNothing()
		}
	})
}
