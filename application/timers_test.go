package application_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"parley/domain"
	"parley/ports"
)

func TestChat_timers_fail_alone(t *testing.T) {
	tests := map[string]struct {
		expire func() (bool, error)
		logged string
	}{
		"an expiry that fails is logged":             {func() (bool, error) { return false, errStore }, "a user's grace time did not end"},
		"an expiry that panics is caught and logged": {func() (bool, error) { panic("broken") }, "panic=broken"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			onMocks(t, config(), func(t *testing.T, f *fixture) {
				f.enter(s1, ann, talk)
				until := time.Now().Add(grace)
				f.expectDrop(talk, s1, ann, true)
				f.Disconnect(ctx, s1, ports.Dropped)
				f.rooms.EXPECT().Expire(live{}, talk.Room(), ann, until).DoAndReturn(
					func(context.Context, domain.RoomID, domain.UserID, time.Time) (bool, error) { return test.expire() })
				f.pass(grace)
				assert.Contains(t, f.logged.String(), test.logged)
				// The conversation's lock was released.
				f.enter(s2, bob, talk)
			})
		})
	}
}

// TestChat_leaves_nothing counts what is held after everybody has gone.
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
