package memory

import (
	"slices"

	"parley/domain"
)

// page returns a copy of the messages that the page asks for, and whether more are held in its direction.
func (h *history) page(p domain.Page) (ms []domain.Message, more bool) {
	held := h.messages[h.first:]
	if p.Before != nil {
		held = held[:h.index(held, *p.Before)]
	}
	if p.After == nil {
		first := len(held) - fit(p, len(held), func(i int) domain.Message { return held[len(held)-1-i] })
		return slices.Clone(held[first:]), first > 0
	}
	if *p.After < h.seq {
		held = held[min(h.index(held, *p.After+1), len(held)):]
	} else {
		held = nil
	}
	n := fit(p, len(held), func(i int) domain.Message { return held[i] })
	return slices.Clone(held[:n]), n < len(held)
}

// index returns the index in held of the first message that is not before seq. held has no gaps and begins with the
// oldest message.
func (h *history) index(held []domain.Message, seq uint64) int {
	if len(held) == 0 || seq <= held[0].Seq {
		return 0
	}
	return int(min(seq-held[0].Seq, uint64(len(held))))
}

// fit returns how many of n messages fit the page, taken in its direction.
func fit(p domain.Page, n int, at func(int) domain.Message) int {
	var bytes int
	for i := range min(p.Limit, n) {
		m := at(i)
		if bytes += len(m.Content) + len(m.Metadata); bytes > p.MaxBytes && i > 0 {
			return i
		}
	}
	return min(p.Limit, n)
}
