package application_test

import (
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

// chunks returns the chunks that the session was sent since the last call.
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

// unbound rewires the world to a chat without a bound for contents.
func (w *world) unbound() {
	w.rewire(application.Config{Access: domain.AccessAuthenticated, PresenceGrace: grace}, wiring{})
}
