package memory

// Len returns how many rooms are held.
func (r *Rooms) Len() int {
	n := 0
	for i := range r.shards {
		r.shards[i].mu.Lock()
		n += len(r.shards[i].rooms)
		r.shards[i].mu.Unlock()
	}
	return n
}

// Stats says what a log holds: conversations, messages, places for messages, and ids.
type Stats struct {
	Conversations, Messages, Capacity, IDs int
	// Size is the log's own count, Sum is that count made anew.
	Size, Sum int64
}

// Stats counts what the log holds.
func (l *Log) Stats() Stats {
	s := Stats{Size: l.size.Load()}
	for i := range l.shards {
		sh := &l.shards[i]
		sh.mu.Lock()
		s.Conversations += len(sh.conversations)
		if len(sh.conversations) != sh.silent.Len() {
			panic("the map and the list of conversations differ")
		}
		for _, h := range sh.conversations {
			s.Messages += len(h.messages) - h.first
			s.Capacity += cap(h.messages)
			s.IDs += len(h.ids.young) + len(h.ids.old)
			s.Sum += h.size()
		}
		sh.mu.Unlock()
	}
	return s
}
