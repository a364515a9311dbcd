package application_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

var streamSeed = flag.Uint64("stream.seed", 0, "run the stream property with this seed only")

// TestChat_Stream_property plays random calls against a map of texts.
func TestChat_Stream_property(t *testing.T) {
	for _, seed := range seeds(*streamSeed) {
		t.Run(fmt.Sprintf("-stream.seed=%d", seed), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) { playStreams(t, w, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func playStreams(t *testing.T, w *world, random *rand.Rand) {
	type model struct {
		chunks []string
		heard  time.Time
	}
	open := map[domain.MessageID]*model{}
	accepted := map[domain.MessageID]string{}
	w.enter(s1, ann, talk)
	opened := 0
	for range 2000 {
		id := domain.MessageID(fmt.Sprint("m", max(0, opened-random.IntN(6))))
		switch random.IntN(10) {
		case 0, 1:
			if len(open) < 10 {
				opened++
				id = domain.MessageID(fmt.Sprint("m", opened))
				w.open(stream(talk, id))
				open[id] = &model{heard: time.Now()}
			}
		case 2:
			err := w.AbortStream(ctx, talk, id)
			require.Equal(t, open[id] != nil, err == nil)
			delete(open, id)
		case 3:
			_, err := w.CloseStream(ctx, talk, id, ports.AnyChunks)
			if m := open[id]; m != nil && len(m.chunks) > 0 {
				require.NoError(t, err)
				accepted[id] = strings.Join(m.chunks, "")
				delete(open, id)
			}
		case 4:
			w.pass(time.Duration(random.IntN(30)) * time.Second)
			for id, m := range open {
				if time.Since(m.heard) >= ports.StreamIdle {
					delete(open, id)
				}
			}
		default:
			m := open[id]
			if m == nil {
				_, err := w.AppendStream(ctx, talk, id, domain.Chunk{Index: 1000, Delta: "x"})
				require.Error(t, err)
				continue
			}
			index := max(0, len(m.chunks)-random.IntN(3)+random.IntN(2))
			delta := fmt.Sprint(index%3, ";")
			_, err := w.AppendStream(ctx, talk, id, domain.Chunk{Index: index, Delta: delta})
			fits := len(strings.Join(m.chunks, ""))+len(delta) <= maxContent
			require.Equal(t, index < len(m.chunks) || index == len(m.chunks) && fits, err == nil, "%v", err)
			if err == nil && index == len(m.chunks) {
				m.chunks = append(m.chunks, delta)
				m.heard = time.Now()
			}
		}
		require.Equal(t, len(open), w.UnderWay().Open)
		w.connect("probe", "probe")
		got := map[domain.MessageID][]string{}
		for _, c := range w.join("probe", talk).Written {
			require.Len(t, got[c.Message], c.Chunk.Index)
			got[c.Message] = append(got[c.Message], c.Chunk.Delta)
		}
		for id, m := range open {
			require.Equal(t, m.chunks, got[id])
			delete(got, id)
		}
		require.Empty(t, got)
		w.Disconnect(ctx, "probe", ports.Left)
	}
	published := map[domain.MessageID]string{}
	for _, m := range messages(w.recorder.take(s1)) {
		require.NotContains(t, published, m.ID)
		published[m.ID] = m.Content
	}
	require.Equal(t, accepted, published)
	require.NotEmpty(t, accepted)
	for _, id := range slices.Collect(maps.Keys(open)) {
		require.NoError(t, w.AbortStream(ctx, talk, id))
	}
	w.pass(2 * ports.DuplicateWindow)
}
