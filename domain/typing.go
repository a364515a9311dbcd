package domain

import "time"

const (
	// TypingExpiry is how long a user is typing without saying so again.
	TypingExpiry = 6 * time.Second
	// typingPause is the least time between two events of one user in a conversation: what changes
	// meanwhile is told together.
	typingPause = 250 * time.Millisecond
	// typingRepeat is how often a user who goes on typing is told again, for those who came meanwhile.
	typingRepeat = 2 * time.Second
)

// Typing is what a conversation knows of one user's typing. The zero value knows nothing.
type Typing struct {
	// typing is what the user said last, told what the others were told last.
	typing, told bool
	// again says that the others are to be told even if nothing has changed.
	again       bool
	heard, said time.Time
}

// Hear notes what the user says.
func (t *Typing) Hear(isTyping bool, now time.Time) {
	t.typing, t.heard = isTyping, now
	if t.said.IsZero() || isTyping && now.Sub(t.said) >= typingRepeat {
		t.again = true
	}
}

// Tell reports whether the others are to be told something now, and what.
func (t *Typing) Tell(now time.Time) (isTyping, tell bool) {
	if t.typing && now.Sub(t.heard) >= TypingExpiry {
		t.typing = false
	}
	if !t.news() || now.Sub(t.said) < typingPause {
		return false, false
	}
	t.told, t.said, t.again = t.typing, now, false
	return t.typing, true
}

// Stop notes that the user has stopped for a reason of its own, a message say, and reports whether the others
// are to be told so at once: they are if they take the user to be typing.
func (t *Typing) Stop(now time.Time) (tell bool) {
	t.typing, t.again, t.heard = false, false, now
	if !t.told {
		return false
	}
	t.told, t.said = false, now
	return true
}

// Next is when Tell is to be called again, after it was called at now; the zero time if the rest may be
// forgotten.
func (t *Typing) Next(now time.Time) time.Time {
	pause := t.said.Add(typingPause)
	switch {
	case t.typing && !t.news():
		return t.heard.Add(TypingExpiry)
	case t.news() || pause.After(now):
		return pause
	}
	return time.Time{}
}

func (t *Typing) news() bool { return t.again || t.typing != t.told }
