package domain

import (
	"math/bits"
	"slices"
	"time"
)

// Delivery records who has confirmed one message. The users who are asked to are those who were members when
// it was accepted, without its sender; their number never changes.
type Delivery struct {
	ID      DeliveryID
	Message Message
	// users is sorted; confirmed and gone have a bit for each of them.
	users           []UserID
	confirmed, gone []uint64
}

// NewDelivery returns the delivery of a message that nobody has confirmed yet. members must be sorted; the
// delivery keeps the slice and never writes to it.
func NewDelivery(id DeliveryID, m Message, members []UserID) *Delivery {
	users := members
	if at, sent := slices.BinarySearch(members, m.User); sent {
		users = slices.Concat(members[:at], members[at+1:])
	}
	words := (len(users) + 63) / 64
	return &Delivery{ID: id, Message: m, users: users, confirmed: make([]uint64, words), gone: make([]uint64, words)}
}

// Confirm notes that the user has got the message, and reports whether that is new. A user who was not asked
// changes nothing.
func (d *Delivery) Confirm(u UserID) bool { return d.mark(d.confirmed, u) }

// GiveUp notes that the user is not waited for any more, and reports whether that is new. A user who confirms
// after that still counts.
func (d *Delivery) GiveUp(u UserID) bool { return d.mark(d.gone, u) }

func (d *Delivery) mark(set []uint64, u UserID) bool {
	at, found := slices.BinarySearch(d.users, u)
	if !found || set[at/64]&(1<<(at%64)) != 0 {
		return false
	}
	set[at/64] |= 1 << (at % 64)
	return true
}

// Awaits reports whether the user is waited for.
func (d *Delivery) Awaits(u UserID) bool {
	at, found := slices.BinarySearch(d.users, u)
	return found && (d.confirmed[at/64]|d.gone[at/64])&(1<<(at%64)) == 0
}

// Expected is how many users were asked to confirm the message.
func (d *Delivery) Expected() int { return len(d.users) }

// Over reports whether nobody is waited for any more: each user has confirmed or was given up.
func (d *Delivery) Over() bool {
	settled := 0
	for i, c := range d.confirmed {
		settled += bits.OnesCount64(c | d.gone[i])
	}
	return settled == len(d.users)
}

// Awaited returns the users who are waited for, sorted. The caller owns the slice.
func (d *Delivery) Awaited() []UserID {
	return d.pick(func(i int) uint64 { return ^(d.confirmed[i] | d.gone[i]) })
}

// Report returns the state of the delivery as an event, with now as its time.
func (d *Delivery) Report(now time.Time) MessageDelivered {
	pending := d.pick(func(i int) uint64 { return ^d.confirmed[i] })
	return MessageDelivered{
		Conversation: d.Message.Conversation, Message: d.Message.ID, Seq: d.Message.Seq,
		Expected: len(d.users), Delivered: len(d.users) - len(pending), Pending: pending, At: now,
	}
}

// pick returns the users whose bits are set in the words.
func (d *Delivery) pick(word func(i int) uint64) []UserID {
	var users []UserID
	for i := range d.confirmed {
		for w := word(i); w != 0; w &= w - 1 {
			if at := i*64 + bits.TrailingZeros64(w); at < len(d.users) {
				users = append(users, d.users[at])
			}
		}
	}
	return users
}
