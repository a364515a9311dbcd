package engineio

// Missed returns the text of what Resume would hand over, without doing it.
func (s *Session) Missed(channel, offset string) (texts []string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	missed, ok := s.missedLocked(channel, offset)
	for _, p := range missed {
		texts = append(texts, string(p.appendPolling(nil)[1:]))
	}
	return texts, ok
}

// Requested reports whether a polling request is in progress.
func (s *Session) Requested() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.poll != nil || s.posting
}
