package application_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/memory"
	"parley/domain"
	"parley/ports"
)

// watched is a room store that calls hook before a session enters or leaves a room, under the conversation's lock.
type watched struct {
	ports.RoomStore
	hook func(domain.RoomID) error
}

func (h *watched) call(r domain.RoomID) error {
	if h.hook == nil {
		return nil
	}
	return h.hook(r)
}

func (h *watched) Join(ctx context.Context, r domain.RoomID, s domain.SessionID, u domain.UserID) (bool, error) {
	if err := h.call(r); err != nil {
		return false, err
	}
	return h.RoomStore.Join(ctx, r, s, u)
}

func (h *watched) Leave(ctx context.Context, r domain.RoomID, s domain.SessionID, u domain.UserID) (bool, error) {
	if err := h.call(r); err != nil {
		return false, err
	}
	return h.RoomStore.Leave(ctx, r, s, u)
}

func (h *watched) Drop(
	ctx context.Context, r domain.RoomID, s domain.SessionID, u domain.UserID, until time.Time,
) (bool, error) {
	if err := h.call(r); err != nil {
		return false, err
	}
	return h.RoomStore.Drop(ctx, r, s, u, until)
}

// watch rewires the world to a room store that can be watched. What the application logs is ignored.
func (w *world) watch(log memory.LogConfig) *watched {
	w.t.Helper()
	h := &watched{RoomStore: w.rooms}
	w.log = memory.NewLog(log)
	cfg := recoverable()
	cfg.Access = domain.AccessAuthenticated
	w.rewire(cfg, wiring{rooms: h, logger: slog.New(slog.DiscardHandler)})
	return h
}

// meanwhile calls f on another goroutine and waits for it, but not for ever: two conversations may share a lock.
func (w *world) meanwhile(f func()) {
	done := make(chan struct{})
	w.others.Go(func() {
		defer close(done)
		f()
	})
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

// failsToRecover lets s1 recover in talk, then calls then, and fails the recovery in other.
func (w *world) failsToRecover(h *watched, from domain.Absence, then func()) {
	w.t.Helper()
	slices.Reverse(from.Places) // they are in order of their names
	h.hook = func(r domain.RoomID) error {
		if r != other.Room() {
			return nil
		}
		then()
		return errStore
	}
	recovered, err := w.Recover(ctx, s1, from, string(ann), func([]domain.Event) {})
	require.NoError(w.t, err)
	require.False(w.t, recovered)
}

// TestChat_report_is_not_lost ends the delivery of ann's message in talk while her only session cannot get the report:
// she is told when she comes back there.
func TestChat_report_is_not_lost(t *testing.T) {
	for when, outcome := range map[string]func(w *world, h *watched, settle func()){
		"while its session, which will not come back, leaves its other conversation": func(w *world, h *watched, settle func()) {
			h.hook = func(r domain.RoomID) error {
				if r == other.Room() {
					w.meanwhile(settle)
				}
				return nil
			}
			w.Disconnect(ctx, s1, ports.Left)
		},
		"while its session drops, of which no place is known then": func(w *world, h *watched, settle func()) {
			h.hook = func(r domain.RoomID) error {
				if r != other.Room() {
					return nil
				}
				w.meanwhile(settle)
				return errStore
			}
			require.Zero(w.t, w.Disconnect(ctx, s1, ports.Dropped))
		},
		"before a recovery that fails in the other conversation": func(w *world, h *watched, settle func()) {
			from := w.Disconnect(ctx, s1, ports.Dropped)
			settle()
			w.failsToRecover(h, from, func() {})
		},
		"while its recovery is about to fail in the other conversation": func(w *world, h *watched, settle func()) {
			w.failsToRecover(h, w.Disconnect(ctx, s1, ports.Dropped), func() { w.meanwhile(settle) })
		},
		"before a recovery that finds its messages trimmed": func(w *world, h *watched, settle func()) {
			from := w.Disconnect(ctx, s1, ports.Dropped)
			settle()
			from.Places = from.Places[1:]
			h.hook = func(domain.RoomID) error {
				for n := range 2 {
					_, _, err := w.log.Append(ctx, domain.Draft{Conversation: talk, User: bob, ID: domain.MessageID(fmt.Sprint("more", n)), Content: "x"}, time.Now())
					require.NoError(w.t, err)
				}
				return nil
			}
			recovered, err := w.Recover(ctx, s1, from, string(ann), notReplayed(w.t))
			require.NoError(w.t, err)
			require.False(w.t, recovered)
		},
	} {
		t.Run("a report that is due "+when+" is told later", func(t *testing.T) {
			w := newWorld(t, config())
			h := w.watch(memory.LogConfig{MaxMessages: 1})
			w.enter(s1, ann, talk, other)
			w.enter(s2, bob, talk)
			m := w.ask(s1, talk)
			outcome(w, h, func() { assert.NoError(t, w.Acknowledge(ctx, s2, talk, m.Seq)) })
			w.others.Wait()
			h.hook = nil
			w.connect("s3", ann)
			reports := w.join("s3", talk).Reports
			require.Len(t, reports, 1)
			assert.Equal(t, m.ID, reports[0].Message)
			assert.Empty(t, w.join("s3", talk).Reports, "once")
		})
	}
}

// grants is an authenticator whose tokens are a user's name and then the user's conversations.
type grants struct{}

func (grants) Authenticate(_ context.Context, token string) (domain.Identity, error) {
	words := strings.Fields(token)
	return domain.Identity{User: domain.UserID(words[0]), Grants: words[1:]}, nil
}

func TestChat_report_rights(t *testing.T) {
	cfg := config()
	cfg.ConfirmWindow = window
	w := newWorld(t, cfg)
	cfg.Access = domain.AccessClaims
	w.rewire(cfg, wiring{auth: grants{}, rooms: w.rooms})
	for id, token := range map[domain.SessionID]string{s1: "ann talk", s2: "bob talk", "s3": "ann other"} {
		_, err := w.Connect(ctx, id, token)
		require.NoError(t, err)
	}
	w.join(s1, talk)
	w.join(s2, talk)
	m := w.ask(s1, talk)
	_, err := w.Refresh(ctx, s1, "ann other")
	require.NoError(t, err)
	require.NoError(t, w.Acknowledge(ctx, s2, talk, m.Seq))
	assert.Empty(t, w.reports(s1), "its sessions may not hear of the conversation")
	assert.Empty(t, w.reports("s3"))
	_, err = w.Refresh(ctx, s1, "ann talk")
	require.NoError(t, err)
	assert.Len(t, w.join(s1, talk).Reports, 1)
}
