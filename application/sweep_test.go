package application_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

// failingRooms is a room store that fails when it is told to.
type failingRooms struct {
	ports.RoomStore
	leave, drop, expire bool
	// done says that what fails is done all the same.
	done bool
}

func (f *failingRooms) Leave(ctx context.Context, r domain.RoomID, s domain.SessionID, u domain.UserID) (bool, error) {
	if f.leave && !f.done {
		return false, errStore
	}
	departed, err := f.RoomStore.Leave(ctx, r, s, u)
	if f.leave {
		return false, errStore
	}
	return departed, err
}

func (f *failingRooms) Drop(
	ctx context.Context, r domain.RoomID, s domain.SessionID, u domain.UserID, until time.Time,
) (bool, error) {
	if f.drop {
		return false, errStore
	}
	return f.RoomStore.Drop(ctx, r, s, u, until)
}

func (f *failingRooms) Expire(ctx context.Context, r domain.RoomID, u domain.UserID, at time.Time) (bool, error) {
	if f.expire {
		return false, errStore
	}
	return f.RoomStore.Expire(ctx, r, u, at)
}

func TestChat_Sweep(t *testing.T) {
	// sweeping runs the test on a store that may fail. What is logged is ignored.
	sweeping := func(t *testing.T, test func(t *testing.T, w *world, store *failingRooms)) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, config())
			store := &failingRooms{RoomStore: w.rooms}
			cfg := config()
			cfg.Access = domain.AccessAuthenticated
			w.rewire(cfg, wiring{rooms: store, logger: slog.New(slog.DiscardHandler)})
			w.enter("listener", "eve", talk)
			w.enter(s1, ann, talk)
			w.recorder.take("listener")
			test(t, w, store)
			assert.Equal(t, []domain.UserID{"eve"}, w.members(talk))
			assert.Equal(t, []domain.Event{domain.UserLeft{Conversation: talk, User: ann, At: time.Now()}}, w.recorder.take("listener"))
			removed, unknown := w.Sweep(ctx, time.Now().Add(time.Hour))
			assert.Zero(t, removed, "nothing is left to be swept")
			assert.Zero(t, unknown)
			assert.Zero(t, w.UnderWay().Strays)
		})
	}
	sweep := func(t *testing.T, w *world, want int) {
		t.Helper()
		removed, unknown := w.Sweep(ctx, time.Now())
		assert.Equal(t, want, removed)
		assert.Zero(t, unknown)
	}
	for way, how := range map[string]ports.Departure{"left": ports.Left, "dropped": ports.Dropped} {
		t.Run("a session that "+way+" while the store failed is removed", func(t *testing.T) {
			sweeping(t, func(t *testing.T, w *world, store *failingRooms) {
				store.leave, store.drop = true, true
				w.Disconnect(ctx, s1, how)
				assert.Contains(t, w.members(talk), ann)
				sweep(t, w, 0)
				store.leave, store.drop = false, false
				sweep(t, w, 1)
			})
		})
	}
	t.Run("a user whose time to come back is long over is removed", func(t *testing.T) {
		sweeping(t, func(t *testing.T, w *world, store *failingRooms) {
			store.expire = true
			w.Disconnect(ctx, s1, ports.Dropped)
			w.pass(grace)
			store.expire = false
			sweep(t, w, 0)
			w.pass(time.Minute)
			sweep(t, w, 1)
		})
	})
	t.Run("a user who may still come back is not touched", func(t *testing.T) {
		sweeping(t, func(t *testing.T, w *world, _ *failingRooms) {
			w.Disconnect(ctx, s1, ports.Dropped)
			sweep(t, w, 0)
			assert.Contains(t, w.members(talk), ann)
			w.pass(grace)
		})
	})
	t.Run("a session that the store removed although it failed is forgotten", func(t *testing.T) {
		sweeping(t, func(t *testing.T, w *world, store *failingRooms) {
			w.enter(s2, bob, other)
			store.leave, store.done = true, true
			w.Disconnect(ctx, s2, ports.Left)
			assert.Equal(t, 1, w.UnderWay().Strays)
			store.leave = false
			sweep(t, w, 0)
			assert.Zero(t, w.UnderWay().Strays)
			require.NoError(t, w.Leave(ctx, s1, talk))
		})
	})
	t.Run("an open session that did not come in, and was not taken out, is removed", func(t *testing.T) {
		sweeping(t, func(t *testing.T, w *world, store *failingRooms) {
			require.NoError(t, w.Leave(ctx, s1, talk))
			events := w.recorder.take("listener")
			_, err := store.Join(ctx, talk.Room(), s1, ann)
			require.NoError(t, err)
			sweep(t, w, 1)
			assert.Len(t, events, 1)
		})
	})
	t.Run("a session that nobody knows is counted and left", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			logged := &strings.Builder{}
			w := newWorld(t, config())
			w.rewire(config(), wiring{rooms: w.rooms, logger: slog.New(slog.NewTextHandler(logged, nil))})
			_, err := w.rooms.Join(ctx, talk.Room(), "stranger", ann)
			require.NoError(t, err)
			removed, unknown := w.Sweep(ctx, time.Now())
			assert.Zero(t, removed)
			assert.Equal(t, 1, unknown)
			assert.Equal(t, []domain.UserID{ann}, w.members(talk))
			assert.Contains(t, logged.String(), "unknown=1")
		})
	})
	t.Run("while sessions come and go there is nothing to sweep", func(t *testing.T) { testSweepRaces(t) })
	t.Run("a store that cannot list its rooms is logged", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.rooms.EXPECT().Rooms(ctx, domain.RoomID(""), 10_000).Return(nil, errStore)
			removed, unknown := f.Sweep(ctx, time.Now())
			assert.Zero(t, removed+unknown)
			assert.Contains(t, f.logged.String(), "broken off")
		})
	})
	t.Run("rooms that are no conversation's are left alone", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.rooms.EXPECT().Rooms(ctx, domain.RoomID(""), 10_000).Return([]domain.RoomID{"lobby"}, nil)
			f.Sweep(ctx, time.Now())
		})
	})
	t.Run("nothing is swept after Close", func(t *testing.T) {
		onMocks(t, config(), func(t *testing.T, f *fixture) {
			f.Close()
			f.rooms.EXPECT().Rooms(ctx, domain.RoomID(""), 10_000).Return([]domain.RoomID{talk.Room()}, nil)
			f.Sweep(ctx, time.Now())
		})
	})
}

// testSweepRaces sweeps while sessions come and go in every way: it must find nothing.
func testSweepRaces(t *testing.T) {
	w := newWorld(t, config())
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			removed, unknown := w.Sweep(ctx, time.Now())
			assert.Zero(t, removed)
			assert.Zero(t, unknown)
		}
	}()
	comeAndGo(t, w, 6, 60)
	close(stop)
	<-done
	assert.Zero(t, w.SessionCount())
}
