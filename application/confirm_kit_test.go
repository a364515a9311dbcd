package application_test

import (
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

const (
	// window is how long deliveries wait for users who dropped, in these tests.
	window = 120 * time.Second
	// allTries is the time after which a connected user who does not confirm is given up.
	allTries = 14 * time.Second
)

// ask sends a message that is to be confirmed.
func (w *world) ask(id domain.SessionID, c domain.ConversationID) domain.Message {
	w.t.Helper()
	r, err := w.Send(ctx, id, ports.Send{Conversation: c, Content: "hello", Confirm: true})
	require.NoError(w.t, err)
	return domain.Message{Draft: domain.Draft{Conversation: c, ID: r.Message}, Seq: r.At.Seq}
}

// asked returns the deliveries that the session was asked to confirm since the last call.
func (w *world) asked(id domain.SessionID) (ids []domain.DeliveryID) {
	for _, e := range w.recorder.take(id) {
		if sent, ok := e.(domain.MessageSent); ok && sent.Delivery != 0 {
			ids = append(ids, sent.Delivery)
		}
	}
	return ids
}

// reports returns the reports that the session was sent since the last call.
func (w *world) reports(id domain.SessionID) (all []domain.MessageDelivered) {
	for _, e := range w.recorder.take(id) {
		if d, ok := e.(domain.MessageDelivered); ok {
			all = append(all, d)
		}
	}
	return all
}

// expect checks that the session was sent one report, now, of so many users expected and these pending.
func (w *world) expect(id domain.SessionID, expected int, pending ...domain.UserID) {
	w.t.Helper()
	all := w.reports(id)
	if !assert.Len(w.t, all, 1, "reports to %s", id) {
		return
	}
	assert.Equal(w.t, expected, all[0].Expected)
	assert.Equal(w.t, expected-len(pending), all[0].Delivered)
	assert.Equal(w.t, len(pending), len(all[0].Pending))
	assert.Subset(w.t, all[0].Pending, pending)
	assert.True(w.t, all[0].At.Equal(time.Now()), "%v", all[0].At)
}
