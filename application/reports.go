package application

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/domain"
)

// maxReports bounds the memory of the reports that wait for their users, in approximate bytes. Reports above it are
// not kept.
const maxReports = 16 << 20

// reports holds the reports of deliveries whose senders had no session that was sure to get them. Each is kept for a
// limited time, until its sender comes back to the conversation.
type reports struct {
	timers *timers
	// count is how many there are. It is read without mu, to see quickly that there are none.
	count atomic.Int64

	mu      sync.Mutex
	waiting map[domain.UserID][]*report
	bytes   int
}

// report is a report that waits for its user.
type report struct {
	domain.MessageDelivered
	// told are the sessions that the report was sent to although they had ended or were recovering. Whether it
	// reached their clients is not known, but one of them that comes back has it.
	told  []domain.SessionID
	timer *timer
}

// size is the memory that the report takes, in approximate bytes.
func (r *report) size() int { return 400 + 16*(len(r.Pending)+len(r.told)) }

func newReports(timers *timers) *reports {
	return &reports{timers: timers, waiting: map[domain.UserID][]*report{}}
}

// keep holds the report for the window. It is dropped at once if there is no room, or no timer because of Close.
func (rs *reports) keep(user domain.UserID, e domain.MessageDelivered, told []domain.SessionID, window time.Duration) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	one := &report{MessageDelivered: e, told: told}
	if window <= 0 || rs.bytes+one.size() > maxReports {
		return
	}
	one.timer = rs.timers.after(window, func() { rs.drop(user, func(r *report) bool { return r == one }) })
	if one.timer == nil {
		return
	}
	rs.waiting[user] = append(rs.waiting[user], one)
	rs.bytes += one.size()
	rs.count.Add(1)
}

// take removes the reports that wait for the user in the conversation, and returns those that the session was not told.
func (rs *reports) take(
	user domain.UserID, c domain.ConversationID, id domain.SessionID,
) (events []domain.MessageDelivered) {
	if rs.count.Load() == 0 {
		return nil
	}
	for _, r := range rs.drop(user, func(r *report) bool { return r.Conversation == c }) {
		rs.timers.stop(r.timer)
		if !slices.Contains(r.told, id) {
			events = append(events, r.MessageDelivered)
		}
	}
	return events
}

// drop removes the user's reports that which selects and returns them, oldest first. Their timers are not stopped.
func (rs *reports) drop(user domain.UserID, which func(*report) bool) (dropped []*report) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rest := slices.DeleteFunc(rs.waiting[user], func(r *report) bool {
		if !which(r) {
			return false
		}
		dropped = append(dropped, r)
		rs.bytes -= r.size()
		return true
	})
	if rs.waiting[user] = rest; len(rest) == 0 {
		delete(rs.waiting, user)
	}
	rs.count.Add(-int64(len(dropped)))
	return dropped
}
