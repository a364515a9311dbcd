package legacy

import "github.com/googollee/go-socket.io/engineio/packet"

// outgoing is one Engine.IO packet on its way to the client. Its data is shared and never written to.
type outgoing struct {
	kind packet.Type
	data []byte
	// ephemeral packets may be dropped for a client that reads too slowly.
	ephemeral bool
}

func (p outgoing) size() int { return len(p.data) + 1 }

// outbox holds what a session still has to send, in order. It is bounded by bytes.
type outbox struct {
	packets []outgoing
	bytes   int
}

// add enqueues the packet unless the outbox would then exceed the limit, in bytes. If it would, ephemeral packets
// are dropped first: this one, or those in the outbox. add reports false if the packet must be sent and does not
// fit. Into an empty outbox it always fits: limiting the size of a single packet is up to the sender.
func (o *outbox) add(limit int, p outgoing) bool {
	if o.bytes+p.size() > limit && len(o.packets) > 0 {
		if p.ephemeral {
			return true
		}
		o.dropEphemeral()
		if o.bytes+p.size() > limit && len(o.packets) > 0 {
			return false
		}
	}
	o.packets = append(o.packets, p)
	o.bytes += p.size()
	return true
}

func (o *outbox) dropEphemeral() {
	kept := o.packets[:0]
	o.bytes = 0
	for _, p := range o.packets {
		if !p.ephemeral {
			kept = append(kept, p)
			o.bytes += p.size()
		}
	}
	clear(o.packets[len(kept):])
	o.packets = kept
}

// take empties the outbox.
func (o *outbox) take() []outgoing {
	packets := o.packets
	*o = outbox{}
	return packets
}
