package application_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
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

// admitted stands in a session's queue where its join was answered. It is an event only to lie
// between events.
type admitted struct {
	domain.Event
	joined ports.Joined
}

func TestChat_Send_order(t *testing.T) {
	t.Run("every receiver hears every message in the order of seq, whoever sends at once", func(t *testing.T) {
		const senders, each = 8, 100
		w := newWorld(t, config())
		for i := range senders {
			w.enter(session(i), domain.UserID(fmt.Sprint("u", i)), talk, other)
			w.recorder.take(session(i))
		}
		for i := range senders {
			w.recorder.take(session(i))
		}
		var all sync.WaitGroup
		for i := range senders {
			all.Go(func() {
				for n := range each {
					_, err := w.Send(ctx, session(i), ports.Send{Conversation: talk, Content: fmt.Sprint(n)})
					assert.NoError(t, err)
				}
			})
		}
		all.Wait()
		for i := range senders {
			heard := messages(w.recorder.take(session(i)))
			require.Len(t, heard, senders*each)
			next := map[domain.UserID]int{}
			for at, m := range heard {
				require.Equal(t, uint64(at+1), m.Seq)
				require.Equal(t, fmt.Sprint(next[m.User]), m.Content, "the messages of one sender keep their order")
				next[m.User]++
			}
		}
	})
	t.Run("racing repeats are heard once and have one receipt", func(t *testing.T) {
		const tries, rounds = 4, 50
		w := newWorld(t, config())
		w.enter("listener", "eve", talk)
		for i := range tries {
			w.enter(session(i), ann, talk)
		}
		w.recorder.take("listener")
		for round := range rounds {
			receipts := make([]ports.Receipt, tries)
			var all sync.WaitGroup
			for i := range tries {
				all.Go(func() {
					var err error
					receipts[i], err = w.Send(ctx, session(i), ports.Send{
						Conversation: talk, ID: domain.MessageID(fmt.Sprint("m", round)), Content: "hello",
					})
					assert.NoError(t, err)
				})
			}
			all.Wait()
			originals := 0
			for _, r := range receipts {
				if !r.Duplicate {
					originals++
				}
				assert.Equal(t, receipts[0].At, r.At)
				assert.Equal(t, receipts[0].Accepted, r.Accepted)
			}
			require.Equal(t, 1, originals)
		}
		assert.Len(t, messages(w.recorder.take("listener")), rounds)
	})
}

// TestChat_Join_order lets sessions come, go and come back while others talk: what a session hears
// must continue its Joined without gap and without repeat, and stop when it is gone.
func TestChat_Join_order(t *testing.T) {
	const talkers, joiners, visits = 3, 4, 40
	w := newWorld(t, config())
	stop := make(chan struct{})
	var talking, visiting sync.WaitGroup
	for i := range talkers {
		w.enter(domain.SessionID(fmt.Sprint("talker", i)), domain.UserID(fmt.Sprint("talker", i)), talk)
		talking.Go(func() { talkUntil(t, w, domain.SessionID(fmt.Sprint("talker", i)), stop) })
	}
	for i := range joiners {
		visiting.Go(func() {
			user := domain.UserID(fmt.Sprint("joiner", i))
			random := rand.New(rand.NewPCG(9, uint64(i)))
			var last *domain.Position
			for n := range visits {
				last = visit(t, w, domain.SessionID(fmt.Sprint(user, "-", n)), user, last, random.IntN(3))
			}
		})
	}
	visiting.Wait()
	close(stop)
	talking.Wait()
}

func talkUntil(t *testing.T, w *world, id domain.SessionID, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		_, err := w.Send(ctx, id, ports.Send{Conversation: talk, Content: "hello"})
		assert.NoError(t, err)
		assert.NoError(t, w.Typing(ctx, id, talk, true))
		w.recorder.take(id)
	}
}

// visit opens a session, joins from the last position, hears some messages, goes in one of three
// ways and returns the position it has reached.
func visit(
	t *testing.T, w *world, id domain.SessionID, user domain.UserID, last *domain.Position, how int,
) *domain.Position {
	_, err := w.Connect(ctx, id, string(user))
	assert.NoError(t, err)
	err = w.Join(ctx, id, ports.Join{Conversation: talk, After: last}, func(j ports.Joined) {
		w.recorder.mark(id, admitted{joined: j})
	})
	assert.NoError(t, err)
	_, err = w.Send(ctx, id, ports.Send{Conversation: talk, Content: "hello from " + string(user)})
	assert.NoError(t, err)
	switch how {
	case 0:
		assert.NoError(t, w.Leave(ctx, id, talk))
		w.Disconnect(ctx, id, ports.Left)
	case 1:
		w.Disconnect(ctx, id, ports.Left)
	default:
		w.Disconnect(ctx, id, ports.Dropped)
	}

	events := w.recorder.take(id)
	if !assert.NotEmpty(t, events) {
		return nil
	}
	first, isAdmission := events[0].(admitted)
	if !assert.True(t, isAdmission, "%T was told before the join was answered", events[0]) {
		return nil
	}
	seq := first.joined.At.Seq
	if last != nil && first.joined.Recovered {
		for n, m := range first.joined.Messages {
			assert.Equal(t, last.Seq+uint64(n)+1, m.Seq)
		}
		assert.Equal(t, first.joined.At.Seq, last.Seq+uint64(len(first.joined.Messages)))
	}
	for _, m := range messages(events[1:]) {
		seq++
		assert.Equal(t, seq, m.Seq, "a gap or a repeat among the live messages")
	}
	assert.Greater(t, seq, first.joined.At.Seq, "it hears its own message at least")
	assert.Empty(t, w.recorder.take(id), "told after it was gone")
	return &domain.Position{Epoch: first.joined.At.Epoch, Seq: seq}
}

// TestChat_presence_order lets the sessions of one user come and go at once. Somebody who listens
// must hear arrivals and departures in turn, or would in the end believe the wrong one.
func TestChat_presence_order(t *testing.T) {
	const tabs, visits = 3, 300
	ways := map[string]func(w *world, id domain.SessionID){
		"leave":  func(w *world, id domain.SessionID) { assert.NoError(t, w.Leave(ctx, id, talk)) },
		"go":     func(w *world, id domain.SessionID) { w.Disconnect(ctx, id, ports.Left) },
		"drop":   func(w *world, id domain.SessionID) { w.Disconnect(ctx, id, ports.Dropped) },
		"expire": func(w *world, id domain.SessionID) { w.Disconnect(ctx, id, ports.Dropped) },
	}
	for way, depart := range ways {
		t.Run("when they "+way, func(t *testing.T) {
			cfg := application.Config{}
			if way == "expire" {
				cfg.PresenceGrace = 1
			}
			w := newWorld(t, cfg)
			w.enter("listener", "eve", talk)
			var all sync.WaitGroup
			for i := range tabs {
				all.Go(func() {
					for n := range visits {
						id := domain.SessionID(fmt.Sprint("tab", i, "-", n))
						_, err := w.Connect(ctx, id, "ann")
						assert.NoError(t, err)
						assert.NoError(t, w.Join(ctx, id, ports.Join{Conversation: talk}, func(ports.Joined) {}))
						depart(w, id)
					}
				})
			}
			all.Wait()
			w.Close()
			present := false
			for _, e := range w.recorder.take("listener") {
				_, joined := e.(domain.UserJoined)
				require.NotEqual(t, present, joined, "told twice in a row: %T", e)
				present = joined
			}
		})
	}
}

// TestChat_races lets everything happen at once, Disconnect also in the middle of its session's
// calls. In the end no trace may be left of sessions that are gone.
func TestChat_races(t *testing.T) {
	const workers, rounds = 6, 60
	w := newWorld(t, application.Config{MaxContent: maxContent})
	rooms := []domain.ConversationID{"c1", "c2", "c3"}
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(i)))
			for round := range rounds {
				id := domain.SessionID(fmt.Sprint("s", i, "-", round))
				_, err := w.Connect(ctx, id, fmt.Sprint("u", i%3))
				assert.NoError(t, err)
				var pair sync.WaitGroup
				pair.Go(func() {
					for range 10 {
						c := rooms[random.IntN(len(rooms))]
						switch random.IntN(5) {
						case 0, 1:
							_ = w.Join(ctx, id, ports.Join{Conversation: c}, func(ports.Joined) {})
						case 2:
							_, _ = w.Send(ctx, id, ports.Send{Conversation: c, Content: "hello"})
						case 3:
							_ = w.Typing(ctx, id, c, true)
						default:
							_ = w.Leave(ctx, id, c)
						}
					}
				})
				pair.Go(func() { w.Disconnect(ctx, id, ports.Departure(round%2)) })
				pair.Wait()
			}
		})
	}
	all.Wait()
	for _, c := range rooms {
		assert.Empty(t, w.members(c))
		sessions, err := w.rooms.Sessions(ctx, c.Room())
		assert.NoError(t, err)
		assert.Empty(t, sessions)
	}
	assert.Zero(t, w.SessionCount())
}

// TestChat_leaves_nothing counts what is held when everybody has gone.
func TestChat_leaves_nothing(t *testing.T) {
	w := newWorld(t, config())
	for i := range 500 {
		w.enter(session(i), domain.UserID(fmt.Sprint("u", i)), talk)
		w.Disconnect(ctx, session(i), ports.Dropped)
	}
	assert.Equal(t, 500, w.WaitingTimers())
	assert.Zero(t, w.SessionCount())
	w.Close()
	assert.Zero(t, w.WaitingTimers())
}

func session(i int) domain.SessionID { return domain.SessionID(fmt.Sprint("s", i)) }

// messages returns the messages among the events.
func messages(events []domain.Event) []domain.Message {
	var all []domain.Message
	for _, e := range events {
		if sent, ok := e.(domain.MessageSent); ok {
			all = append(all, sent.Message)
		}
	}
	return all
}

// comeAndGo lets sessions enter and end in every way at once.
func comeAndGo(t *testing.T, w *world, workers, rounds int) {
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			for round := range rounds {
				id := domain.SessionID(fmt.Sprint("s", i, "-", round))
				_, err := w.Connect(ctx, id, fmt.Sprint("u", i%3))
				assert.NoError(t, err)
				for _, c := range []domain.ConversationID{talk, other} {
					assert.NoError(t, w.Join(ctx, id, ports.Join{Conversation: c}, func(ports.Joined) {}))
				}
				if round%3 == 0 {
					assert.NoError(t, w.Leave(ctx, id, talk))
				}
				w.Disconnect(ctx, id, ports.Departure(round%2))
			}
		})
	}
	all.Wait()
}

// TestChat_confirm_races lets recipients confirm in every way, leave, drop and come back while messages that are
// to be confirmed are sent and sent again: each is reported once, and counted within what may be.
func TestChat_confirm_races(t *testing.T) {
	const senders, receivers, each = 3, 6, 60
	inWorld(t, func(t *testing.T, w *world) {
		rooms := []domain.ConversationID{talk, other}
		for i := range senders {
			w.enter(domain.SessionID(fmt.Sprint("sender", i)), domain.UserID(fmt.Sprint("sender", i)), rooms...)
		}
		for i := range receivers {
			w.enter(session(i), domain.UserID(fmt.Sprint("u", i)), rooms...)
		}
		stop := make(chan struct{})
		var sending, receiving sync.WaitGroup
		for i := range senders {
			sending.Go(func() {
				random := rand.New(rand.NewPCG(11, uint64(i)))
				for n := range each {
					time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
					_, err := w.Send(ctx, domain.SessionID(fmt.Sprint("sender", i)), ports.Send{
						Conversation: rooms[n%2], ID: domain.MessageID(fmt.Sprint("m", i, "-", n)), Content: "hello", Confirm: true,
					})
					assert.NoError(t, err)
				}
			})
		}
		for i := range receivers {
			receiving.Go(func() { receive(t, w, session(i), rooms, rand.New(rand.NewPCG(12, uint64(i))), stop) })
		}
		sending.Wait()
		w.pass(window + 10*time.Second)
		close(stop)
		receiving.Wait()
		for i := range senders {
			reported := map[domain.MessageID]bool{}
			for _, r := range w.reports(domain.SessionID(fmt.Sprint("sender", i))) {
				require.False(t, reported[r.Message], "reported twice")
				reported[r.Message] = true
				require.Equal(t, r.Expected, r.Delivered+len(r.Pending))
				require.GreaterOrEqual(t, r.Expected, senders-1)
				require.Less(t, r.Expected, senders+receivers)
			}
			require.Len(t, reported, each)
		}
		assert.Zero(t, w.UnderWay().Deliveries)
		w.pass(time.Minute)
	})
}

// receive confirms what the session is asked for, or not, and comes and goes.
func receive(
	t *testing.T, w *world, id domain.SessionID, rooms []domain.ConversationID, random *rand.Rand, stop <-chan struct{},
) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(random.IntN(500)) * time.Millisecond):
		}
		c := rooms[random.IntN(2)]
		switch random.IntN(8) {
		case 0:
			from := w.Disconnect(ctx, id, ports.Dropped)
			time.Sleep(time.Duration(random.IntN(3000)) * time.Millisecond)
			assert.True(t, w.recovers(id, from))
		case 1:
			if w.Leave(ctx, id, c) == nil {
				assert.NoError(t, w.Join(ctx, id, ports.Join{Conversation: c}, func(ports.Joined) {}))
			}
		case 2:
			_ = w.Acknowledge(ctx, id, c, uint64(random.IntN(200)))
		default:
			for _, d := range w.asked(id) {
				if random.IntN(3) > 0 {
					w.Confirm(ctx, id, d)
				}
			}
		}
	}
}

// TestChat_confirm_burst lets every member of a room confirm every message at once, in both ways.
func TestChat_confirm_burst(t *testing.T) {
	const members, sent = 50, 100
	inWorld(t, func(t *testing.T, w *world) {
		for i := range members {
			w.enter(session(i), domain.UserID(fmt.Sprint("u", i)), talk)
		}
		var all sync.WaitGroup
		for range sent {
			w.ask(session(0), talk)
		}
		for i := range members {
			asked := w.asked(session(i))
			all.Go(func() {
				for n, d := range asked {
					w.Confirm(ctx, session(i), d)
					if n%10 == i%10 {
						assert.NoError(t, w.Acknowledge(ctx, session(i), talk, uint64(n+1)))
					}
				}
			})
		}
		all.Wait()
		reports := w.reports(session(0))
		require.Len(t, reports, sent)
		for _, r := range reports {
			require.Equal(t, members-1, r.Delivered)
		}
		w.holdsNothing()
	})
}

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
						// The other has closed it already.
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

// hooked calls hooks in the middle of what the application does.
type hooked struct {
	ports.RoomStore
	ports.MessageLog
	leave, append func()
	// listed, unless it is nil, is what Rooms returns.
	listed []domain.RoomID
}

func (h *hooked) Leave(ctx context.Context, r domain.RoomID, s domain.SessionID, u domain.UserID) (bool, error) {
	if h.leave != nil {
		h.leave()
	}
	return h.RoomStore.Leave(ctx, r, s, u)
}

func (h *hooked) Append(ctx context.Context, d domain.Draft, now time.Time) (domain.Message, bool, error) {
	if h.append != nil {
		h.append()
	}
	return h.MessageLog.Append(ctx, d, now)
}

func (h *hooked) Rooms(ctx context.Context, after domain.RoomID, limit int) ([]domain.RoomID, error) {
	if h.listed != nil {
		return h.listed, nil
	}
	return h.RoomStore.Rooms(ctx, after, limit)
}

// yield lets other goroutines do what they can, until f is true at the latest.
func yield(f func() bool) {
	for n := 0; n < 5000 && !f(); n++ {
		runtime.Gosched()
	}
}

func never() bool { return false }

// refused is assertCode for any goroutine.
func refused(t *testing.T, code domain.Code, err error) {
	t.Helper()
	if assert.Error(t, err) {
		assert.Equal(t, code, domain.AsError(err).Code)
	}
}

func TestChat_in_between(t *testing.T) {
	open := func(t *testing.T) (*world, *hooked) {
		w := newWorld(t, config())
		h := &hooked{RoomStore: w.rooms, MessageLog: w.log}
		w.Chat = application.NewChat(application.Config{Access: domain.AccessAuthenticated}, names{}, h, h, w.recorder,
			w.recorder, slog.New(failing{t}))
		t.Cleanup(w.Close)
		return w, h
	}
	t.Run("what was let in before the end is reported by the end", func(t *testing.T) {
		w, h := open(t)
		w.enter(s1, ann, talk)
		w.enter(s2, bob, talk)
		w.recorder.take(s1)
		var closing sync.WaitGroup
		h.append = func() {
			closing.Go(w.Close)
			for !w.Draining() {
				runtime.Gosched()
			}
			yield(never)
		}
		w.ask(s1, talk)
		closing.Wait()
		assert.Len(t, w.reports(s1), 1)
		assert.Zero(t, w.UnderWay().Deliveries)
	})
	t.Run("who drops while it leaves does not come back to what it has left", func(t *testing.T) {
		w, h := open(t)
		w.enter(s1, ann, talk, other)
		w.enter(s2, bob, talk)
		var absence domain.Absence
		var dropping sync.WaitGroup
		h.leave = func() {
			h.leave = nil
			dropping.Go(func() { absence = w.Disconnect(ctx, s1, ports.Dropped) })
			yield(func() bool {
				_, err := w.Presence(ctx, s1, other)
				return err != nil
			})
		}
		require.NoError(t, w.Leave(ctx, s1, talk))
		dropping.Wait()
		require.Len(t, absence.Places, 1)
		assert.Equal(t, other, absence.Places[0].Conversation)
		require.True(t, w.recovers(s1, absence))
		assert.Equal(t, []domain.UserID{bob}, w.members(talk))
	})
	t.Run("what waits for its turn when the end begins is refused", func(t *testing.T) {
		w, h := open(t)
		w.enter(s1, ann, talk)
		var all sync.WaitGroup
		h.append = func() {
			for _, late := range []func() error{
				func() error { return w.Announce(ctx, talk, "tick", nil) },
				func() error { return w.Update(ctx, talk, []byte("{}")) },
				func() error { return w.ShowTyping(ctx, talk, bob, true) },
			} {
				all.Go(func() { refused(t, domain.CodeDraining, late()) })
			}
			yield(never)
			all.Go(w.Close)
			yield(w.Draining)
		}
		_, err := w.Send(ctx, s1, ports.Send{Conversation: talk, Content: "hello"})
		require.NoError(t, err)
		all.Wait()
		assert.Len(t, w.recorder.take(s1), 1, "the message")
	})
	t.Run("who has gone types no more", func(t *testing.T) {
		w, h := open(t)
		w.enter(s1, ann, talk)
		w.enter(s2, bob, talk)
		w.recorder.take(s2)
		var all sync.WaitGroup
		h.append = func() {
			all.Go(func() { refused(t, domain.CodeUnavailable, w.Typing(ctx, s1, talk, true)) })
			yield(never)
			all.Go(func() { w.Disconnect(ctx, s1, ports.Left) })
			yield(func() bool {
				_, err := w.Presence(ctx, s1, talk)
				return err != nil
			})
		}
		_, err := w.Send(ctx, s2, ports.Send{Conversation: talk, Content: "hello"})
		require.NoError(t, err)
		all.Wait()
		told := w.recorder.take(s2)
		require.Len(t, told, 2)
		assert.IsType(t, domain.UserLeft{}, told[1])
	})
	t.Run("who is just being taken out is no find of a sweep", func(t *testing.T) {
		w, h := open(t)
		w.enter(s1, ann, talk, other)
		h.listed = []domain.RoomID{talk.Room()}
		swept := make(chan int, 1)
		h.leave = func() {
			h.leave = nil
			go func() {
				removed, unknown := w.Sweep(ctx, time.Now())
				swept <- removed + unknown
			}()
			yield(func() bool { return len(swept) > 0 })
		}
		w.Disconnect(ctx, s1, ports.Left) // from other first, while it is still in the room of talk
		assert.Zero(t, <-swept)
	})
	t.Run("who is just being taken out does not expire", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			until := time.Now().Add(time.Hour)
			f.connectUntil(s1, ann, until)
			f.rooms.EXPECT().Join(ctx, talk.Room(), s1, ann).Return(false, nil)
			f.log.EXPECT().Head(ctx, talk).Return(domain.Position{}, nil)
			f.rooms.EXPECT().Members(ctx, talk.Room()).Return(nil, nil)
			require.NoError(t, f.Join(ctx, s1, ports.Join{Conversation: talk}, func(ports.Joined) {}))
			f.rooms.EXPECT().Leave(live{}, talk.Room(), s1, ann).DoAndReturn(
				func(context.Context, domain.RoomID, domain.SessionID, domain.UserID) (bool, error) {
					f.Expire(until)
					return false, nil
				})
			f.Disconnect(ctx, s1, ports.Left)
		})
	})
}
