package memory

import (
	"container/list"
	"strconv"
	"sync"
	"time"

	"parley/domain"
	"parley/ports"
)

const (
	// logShards spreads the conversations over several locks.
	logShards = 64
	// livesPerShard is how many counters name the epochs of a shard's conversations; see lives.
	livesPerShard = 1024
)

// logShard is a part of the log with its own lock.
type logShard struct {
	log           *Log
	mu            sync.Mutex
	conversations map[domain.ConversationID]*history
	// silent lists the histories by their last sign of life, the oldest first.
	silent *list.List
	// lives gives epochs to conversations that the log does not hold. Such a conversation must have an epoch, which
	// its first message will keep, but asking for it must not make the log hold anything. And after it was held and
	// forgotten, so that its seq starts at 1 again, it must never get an earlier epoch again. So the epoch of a
	// conversation that is not held is read from a counter, which it shares with some others and which is incremented
	// whenever one of them is forgotten. Those that are held keep the epoch they began with. A client that has joined
	// a conversation without messages may later be told "epoch" although it missed nothing, which is rare and safe.
	lives [livesPerShard]uint32
}

func (s *logShard) init(l *Log) {
	s.log = l
	s.conversations = map[domain.ConversationID]*history{}
	s.silent = list.New()
}

// head returns the place of the conversation's newest message, or of the one before the first.
func (s *logShard) head(c domain.ConversationID, life int) domain.Position {
	if h, held := s.conversations[c]; held {
		return domain.Position{Epoch: h.epoch, Seq: h.seq}
	}
	return domain.Position{Epoch: s.epoch(life)}
}

func (s *logShard) epoch(life int) domain.Epoch {
	return domain.Epoch(s.log.name + "." + strconv.FormatUint(uint64(s.lives[life]), 36))
}

// held returns the conversation's history, nil if there is none or it has been silent for too long.
func (s *logShard) held(c domain.ConversationID, now time.Time) *history {
	h, found := s.conversations[c]
	if !found {
		return nil
	}
	if s.overAge(h, now) {
		s.release(h, now)
	}
	return s.conversations[c]
}

func (s *logShard) overAge(h *history, now time.Time) bool {
	return now.Sub(h.alive) > s.log.cfg.forgetAfter()
}

// open begins a life of the conversation.
func (s *logShard) open(c domain.ConversationID, life int) *history {
	h := &history{conversation: c, epoch: s.epoch(life), life: life}
	s.conversations[c] = h
	h.place = s.silent.PushBack(h)
	s.log.size.Add(h.size())
	return h
}

func (s *logShard) append(h *history, d domain.Draft, now time.Time) domain.Message {
	before := h.size()
	m := h.append(d, now)
	h.trim(s.log.cfg, m.At)
	s.silent.MoveToBack(h.place)
	s.log.size.Add(h.size() - before)
	return m
}

// release gives up what the conversation holds, and the conversation itself if it is not in use.
// Being in use counts as a sign of life, so InUse is called again only after the conversation has been silent anew.
//
// A joiner enters the room before it asks for the head, which waits for this lock. So either InUse sees the joiner, or
// the joiner gets the new epoch.
func (s *logShard) release(h *history, now time.Time) {
	if !s.log.cfg.InUse(h.conversation) {
		s.forget(h)
		return
	}
	before := h.size()
	h.clear()
	h.alive = now
	s.silent.MoveToBack(h.place)
	s.log.size.Add(h.size() - before)
}

// forget ends a life of the conversation.
func (s *logShard) forget(h *history) {
	s.lives[h.life]++
	s.silent.Remove(h.place)
	delete(s.conversations, h.conversation)
	s.log.size.Add(-h.size())
}

// releaseSilent releases up to two conversations that have been silent for too long. An append adds
// at most one, so they do not pile up between sweeps.
func (s *logShard) releaseSilent(now time.Time) {
	for range 2 {
		oldest := s.oldest()
		if oldest == nil || !s.overAge(oldest, now) {
			return
		}
		s.release(oldest, now)
	}
}

// releaseOldest releases the conversation that has been silent longest, unless its ids must still be
// known, and reports whether it did.
func (s *logShard) releaseOldest(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	oldest := s.oldest()
	if oldest == nil || now.Sub(oldest.alive) <= ports.DuplicateWindow {
		return false
	}
	s.release(oldest, now)
	return true
}

// thinReach is how many conversations at either end of the list are searched for messages to drop.
const thinReach = 8

// thin drops the older half of the messages of one conversation: one that has been silent longest, or one with the latest
// messages, which is where a flood is found. It reports whether it dropped any.
func (s *logShard) thin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	front, back := s.silent.Front(), s.silent.Back()
	for range min(thinReach, s.silent.Len()) {
		for _, place := range []*list.Element{front, back} {
			h := place.Value.(*history)
			before := h.size()
			if h.halve() {
				s.log.size.Add(h.size() - before)
				return true
			}
		}
		front, back = front.Next(), back.Prev()
	}
	return false
}

func (s *logShard) oldest() *history {
	front := s.silent.Front()
	if front == nil {
		return nil
	}
	return front.Value.(*history)
}

func (s *logShard) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.conversations {
		if s.overAge(h, now) {
			s.release(h, now)
			continue
		}
		before := h.size()
		h.trim(s.log.cfg, now)
		h.ids.expire(now)
		s.log.size.Add(h.size() - before)
	}
}
