package application_test

import (
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/application"
	"parley/domain"
	"parley/ports"
)

const coach domain.UserID = "coach"

func stream(c domain.ConversationID, id domain.MessageID) ports.Publish {
	return ports.Publish{Conversation: c, User: coach, ID: id}
}

func (w *world) open(p ports.Publish) ports.Stream {
	w.t.Helper()
	at, err := w.OpenStream(ctx, p)
	require.NoError(w.t, err)
	return at
}

func (w *world) write(c domain.ConversationID, id domain.MessageID, index int, delta string) {
	w.t.Helper()
	at, err := w.AppendStream(ctx, c, id, domain.Chunk{Index: index, Delta: delta})
	require.NoError(w.t, err)
	require.Equal(w.t, index+1, at.Next)
}

// chunks returns what the session was told of messages that are being written since the last call.
func (w *world) chunks(id domain.SessionID) (all []domain.ChunkAppended) {
	for _, e := range w.recorder.take(id) {
		if e, ok := e.(domain.ChunkAppended); ok {
			all = append(all, e)
		}
	}
	return all
}

func written(id domain.MessageID, index int, delta string) domain.ChunkAppended {
	return domain.ChunkAppended{Conversation: talk, Message: id, Chunk: domain.Chunk{Index: index, Delta: delta}}
}

func abortedAt(id domain.MessageID, next int) domain.ChunkAppended {
	return domain.ChunkAppended{Conversation: talk, Message: id, Chunk: domain.Chunk{Index: next}, Aborted: true}
}

func TestChat_Stream(t *testing.T) {
	t.Run("chunks are told as they come, and in the end the whole message", func(t *testing.T) {
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
	t.Run("without an id it gets one", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			at := w.open(stream(talk, ""))
			assert.NotEmpty(t, at.Message)
			assert.NotEqual(t, at.Message, w.open(stream(talk, "")).Message)
			w.write(talk, at.Message, 0, "hello")
		})
	})
	t.Run("is not completed by one who counts other chunks, before and after its end", func(t *testing.T) {
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
	t.Run("every call may be repeated", func(t *testing.T) {
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
	t.Run("what is refused changes nothing", func(t *testing.T) {
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
	t.Run("to be confirmed it is asked for when it is whole", func(t *testing.T) {
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

func TestChat_Stream_joiners(t *testing.T) {
	t.Run("who joins or recovers in the middle gets what there is so far, before what follows", func(t *testing.T) {
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
	t.Run("many who join while it is written have it whole", func(t *testing.T) {
		const joiners, chunks = 20, 300
		w := newWorld(t, config())
		w.Chat = unbounded(t, w)
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

// unbounded returns a chat on the world's stores without a bound for contents.
func unbounded(t *testing.T, w *world) *application.Chat {
	c := application.NewChat(application.Config{Access: domain.AccessAuthenticated, PresenceGrace: grace}, names{},
		yielding{w.rooms}, w.log, w.recorder, w.recorder, slog.New(failing{t}))
	t.Cleanup(c.Close)
	return c
}

func TestChat_Stream_ends(t *testing.T) {
	t.Run("an abort is told, and it may begin anew", func(t *testing.T) {
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
	t.Run("one that gets no chunk for a minute is aborted", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.enter(s1, ann, talk)
			w.open(stream(talk, "m1"))
			for i := range 5 {
				w.pass(ports.StreamIdle - 1)
				w.write(talk, "m1", i, "x")
			}
			w.chunks(s1)
			w.pass(ports.StreamIdle - 1)
			w.write(talk, "m1", 4, "x") // a repeat is no sign of life
			assert.Empty(t, w.chunks(s1))
			w.pass(1)
			assert.Equal(t, []domain.ChunkAppended{abortedAt("m1", 5)}, w.chunks(s1))
			_, err := w.AppendStream(ctx, talk, "m1", domain.Chunk{Index: 5, Delta: "x"})
			assertCode(t, domain.CodeNotFound, err)
			w.holdsNothing()
		})
	})
	t.Run("one that was never written to is aborted", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			w.open(stream(talk, "m1"))
			w.pass(ports.StreamIdle)
			w.holdsNothing()
		})
	})
	t.Run("a store that fails when an idle one is to be aborted is asked again", func(t *testing.T) {
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
	t.Run("a log that refuses leaves it open", func(t *testing.T) {
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
	t.Run("a message that is published whole completes it", func(t *testing.T) {
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
	t.Run("another user's message with the same id does not", func(t *testing.T) {
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
	t.Run("of a message that was accepted before it was opened, the chunks are taken back", func(t *testing.T) {
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
	t.Run("a server that is about to stop aborts what is open, keeps receipts and begins nothing", func(t *testing.T) {
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

func TestChat_Stream_bounds(t *testing.T) {
	t.Run("one conversation may have 16 open", func(t *testing.T) {
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
	t.Run("what all have written is bounded, also by chunks of those that are open", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			w.Chat = unbounded(t, w)
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
	t.Run("those that were aborted leave nothing behind, however many", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			for range 1000 {
				w.open(stream(talk, "m1"))
				require.NoError(t, w.AbortStream(ctx, talk, "m1"))
			}
			w.holdsNothing()
		})
	})
	t.Run("the receipts of 11000 that are complete keep nobody from beginning another", func(t *testing.T) {
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

var streamSeed = flag.Uint64("stream.seed", 0, "run the stream property with this seed only")

// TestChat_Stream_property plays random calls against a map of texts.
func TestChat_Stream_property(t *testing.T) {
	seeds := []uint64{1, 2, 3, rand.Uint64()}
	if *streamSeed != 0 {
		seeds = []uint64{*streamSeed}
	}
	for _, seed := range seeds {
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
