package application_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

func TestChat_Stream_joiners(t *testing.T) {
	t.Run("a session that joins or recovers in the middle gets the chunks so far before the next ones", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s2, bob, talk)
			from := w.Disconnect(ctx, s2, ports.Dropped)
			w.open(stream(other, "elsewhere"))
			w.open(stream(talk, "m1"))
			w.write(talk, "m1", 0, "so ")
			w.open(stream(talk, "m2"))
			w.write(talk, "m2", 0, "or ")
			w.write(talk, "m1", 1, "it ")
			soFar := []domain.ChunkAppended{written("m1", 0, "so "), written("m1", 1, "it "), written("m2", 0, "or ")}
			w.connect(s1, ann)
			assert.Equal(t, soFar, w.join(s1, talk).Written)
			require.True(t, w.recovers(s2, from))
			w.write(talk, "m1", 2, "grows")
			assert.Equal(t, append(soFar, written("m1", 2, "grows")), w.chunks(s2))
			assert.Equal(t, []domain.ChunkAppended{written("m1", 2, "grows")}, w.chunks(s1))
			for _, id := range []domain.MessageID{"m1", "m2"} {
				_, err := w.CloseStream(ctx, talk, id, ports.AnyChunks)
				require.NoError(t, err)
			}
			w.connect("late", "zoe")
			assert.Empty(t, w.join("late", talk).Written)
			require.NoError(t, w.AbortStream(ctx, other, "elsewhere"))
		})
	})
	t.Run("many who join while a message is written get all of it", func(t *testing.T) {
		const joiners, chunks = 20, 300
		w := newWorld(t, config())
		w.unbound()
		w.open(stream(talk, "m1"))
		heard := make([]string, joiners)
		var all sync.WaitGroup
		all.Go(func() {
			for i := range chunks {
				w.write(talk, "m1", i, fmt.Sprint(i, ";"))
			}
		})
		for i := range joiners {
			all.Go(func() {
				_, err := w.Connect(ctx, session(i), fmt.Sprint("u", i))
				assert.NoError(t, err)
				assert.NoError(t, w.Join(ctx, session(i), ports.Join{Conversation: talk}, func(j ports.Joined) {
					for _, c := range j.Written {
						assert.NotEmpty(t, c.Chunk.Delta)
						w.recorder.mark(session(i), c)
					}
				}))
			})
		}
		all.Wait()
		_, err := w.CloseStream(ctx, talk, "m1", ports.AnyChunks)
		require.NoError(t, err)
		for i := range joiners {
			var whole domain.Message
			next := 0
			for _, e := range w.recorder.take(session(i)) {
				switch e := e.(type) {
				case domain.ChunkAppended:
					require.Equal(t, next, e.Chunk.Index, "a gap or a repeat")
					next++
					heard[i] += e.Chunk.Delta
				case domain.MessageSent:
					whole = e.Message
				}
			}
			require.Equal(t, whole.Content, heard[i])
			require.Equal(t, chunks, next)
		}
	})
}
