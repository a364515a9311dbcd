package memory

import (
	"container/list"
	"slices"
	"time"

	"parley/domain"
)

// Roughly how many bytes of memory things take besides their strings: a message with its share of the slice's spare
// room, an id in its map, a conversation with its map entry and list element.
const (
	messageCost      = 250
	idCost           = 150
	conversationCost = 700
)

// history is one conversation in the log. Its shard's lock guards it.
type history struct {
	conversation domain.ConversationID
	epoch        domain.Epoch
	// life is the counter that the epoch was read from.
	life int
	// place is where the history stands in its shard's list.
	place *list.Element
	// last is when the newest message was accepted.
	last time.Time
	// alive is when the conversation gave its last sign of life: last, or when it was found in use.
	alive time.Time
	// seq is that of the newest message.
	seq uint64

	// messages[first:] are the messages held, the newest last. Messages are dropped from the front
	// by moving first; the rest moves down when half the slice is dropped ones.
	messages []domain.Message
	first    int
	bytes    int

	ids ids
}

// size returns roughly how many bytes of memory the history takes.
func (h *history) size() int64 {
	return int64(conversationCost + len(h.conversation) + h.bytes + h.ids.size())
}

// repeated returns the draft as a message at the place of the earlier one with its id, if there was one within the
// window.
func (h *history) repeated(d domain.Draft, now time.Time) (domain.Message, bool) {
	first, found := h.ids.find(id{d.User, d.ID}, now)
	if !found {
		return domain.Message{}, false
	}
	return domain.Message{Draft: d, Seq: first.seq, Epoch: h.epoch, At: first.at}, true
}

// append gives the draft its place. Times never go back within a conversation, whatever the clock does, so that the
// messages dropped by age are always the first ones.
func (h *history) append(d domain.Draft, now time.Time) domain.Message {
	if now.Before(h.last) {
		now = h.last
	}
	// All messages of a conversation share one copy of its id.
	d.Conversation = h.conversation
	h.seq++
	h.last, h.alive = now, now
	m := domain.Message{Draft: d, Seq: h.seq, Epoch: h.epoch, At: now}
	if h.first > 0 && len(h.messages) == cap(h.messages) && h.first >= len(h.messages)/2 {
		h.compact()
	}
	h.messages = append(h.messages, m)
	h.bytes += cost(m)
	h.ids.add(id{d.User, d.ID}, accepted{seq: m.Seq, at: now})
	return m
}

// trim drops the oldest messages that are too many, too large or too old.
func (h *history) trim(cfg LogConfig, now time.Time) {
	for h.first < len(h.messages) {
		held := len(h.messages) - h.first
		oldest := &h.messages[h.first]
		tooMany := held > cfg.MaxMessages || h.bytes > cfg.MaxBytes && held > 1
		if !tooMany && now.Sub(oldest.At) <= cfg.MaxAge {
			break
		}
		h.bytes -= cost(*oldest)
		*oldest = domain.Message{}
		h.first++
	}
	// Give back the room that a burst has left. At least three times as many messages were dropped as are copied.
	if held := len(h.messages) - h.first; cap(h.messages) > 64 && held < cap(h.messages)/4 {
		h.messages = slices.Clone(h.messages[h.first:])
		h.first = 0
	}
}

// clear drops all messages and ids; epoch and seq stay.
func (h *history) clear() {
	h.messages, h.first, h.bytes = nil, 0, 0
	h.ids = ids{}
}

// halve drops the older half of the messages and reports whether there was one. The newest stays.
func (h *history) halve() bool {
	n := (len(h.messages) - h.first) / 2
	if n == 0 {
		return false
	}
	for i := range h.messages[h.first : h.first+n] {
		h.bytes -= cost(h.messages[h.first+i])
	}
	h.messages = slices.Clone(h.messages[h.first+n:])
	h.first = 0
	return true
}

// compact moves the messages held to the front of the slice.
func (h *history) compact() {
	n := copy(h.messages, h.messages[h.first:])
	clear(h.messages[n:])
	h.messages = h.messages[:n]
	h.first = 0
}

// after returns a copy of the messages later than seq, which is before the newest; complete is false
// if some of them were dropped.
func (h *history) after(seq uint64) (ms []domain.Message, complete bool) {
	missed := h.seq - seq
	if missed > uint64(len(h.messages)-h.first) {
		return nil, false
	}
	return slices.Clone(h.messages[len(h.messages)-int(missed):]), true
}

func cost(m domain.Message) int {
	return messageCost + len(m.User) + len(m.ID) + len(m.Content) + len(m.Metadata)
}
