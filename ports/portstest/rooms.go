package portstest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

const (
	room  domain.RoomID = "conversation:one"
	other domain.RoomID = "conversation:two"
)

// rooms calls a store that must not fail.
type rooms struct {
	t     *testing.T
	store ports.RoomStore
}

func (r rooms) join(id domain.RoomID, s domain.SessionID, u domain.UserID) bool {
	arrived, err := r.store.Join(context.Background(), id, s, u)
	assert.NoError(r.t, err)
	return arrived
}

func (r rooms) leave(id domain.RoomID, s domain.SessionID, u domain.UserID) bool {
	departed, err := r.store.Leave(context.Background(), id, s, u)
	assert.NoError(r.t, err)
	return departed
}

func (r rooms) drop(id domain.RoomID, s domain.SessionID, u domain.UserID, until time.Time) bool {
	dropped, err := r.store.Drop(context.Background(), id, s, u, until)
	assert.NoError(r.t, err)
	return dropped
}

func (r rooms) expire(id domain.RoomID, u domain.UserID, at time.Time) bool {
	departed, err := r.store.Expire(context.Background(), id, u, at)
	assert.NoError(r.t, err)
	return departed
}

// holds checks who is in the room.
func (r rooms) holds(id domain.RoomID, wantUsers []domain.UserID, wantSessions []domain.SessionID) {
	r.t.Helper()
	gotUsers, err := r.store.Members(context.Background(), id)
	require.NoError(r.t, err)
	assert.Equal(r.t, len(wantUsers), len(gotUsers))
	assert.ElementsMatch(r.t, wantUsers, gotUsers)
	gotSessions, err := r.store.Sessions(context.Background(), id)
	require.NoError(r.t, err)
	assert.ElementsMatch(r.t, wantSessions, gotSessions)
}

func users(ids ...domain.UserID) []domain.UserID { return ids }

func sessions(ids ...domain.SessionID) []domain.SessionID { return ids }
