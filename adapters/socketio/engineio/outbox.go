package engineio

// outbox holds the packets that a session has yet to send, in order, bounded by bytes. The session's mutex guards it.
type outbox struct {
	packets []*Packet
	bytes   int
	// beyond is how many of the bytes do not count against the limit.
	beyond int
}

// keepCapacity is the largest capacity, in packets, that an empty outbox keeps.
const keepCapacity = 32

// fits reports whether the packets fit within the limit, in bytes. They always fit if nothing that counts is waiting: a
// limit on their own size is up to the sender.
func (o *outbox) fits(limit int, packets ...*Packet) bool {
	if o.bytes == o.beyond {
		return true
	}
	return o.bytes-o.beyond+totalSize(packets) <= limit
}

func (o *outbox) add(packets ...*Packet) {
	o.packets = append(o.packets, packets...)
	o.bytes += totalSize(packets)
}

// addBeyond enqueues packets that do not count against the limit. They must not be volatile.
func (o *outbox) addBeyond(packets ...*Packet) {
	o.add(packets...)
	o.beyond += totalSize(packets)
}

func totalSize(packets []*Packet) int {
	n := 0
	for _, p := range packets {
		n += len(p.frame)
	}
	return n
}

func (o *outbox) dropVolatile() {
	kept := o.packets[:0]
	for _, p := range o.packets {
		if p.volatile {
			o.bytes -= len(p.frame)
			continue
		}
		kept = append(kept, p)
	}
	clear(o.packets[len(kept):])
	o.packets = kept
}

// drop empties the outbox, except for the answer to the handshake if that has not left yet: the client could make
// nothing of a frame before it.
func (o *outbox) drop() {
	packets := o.packets
	*o = outbox{}
	if len(packets) > 0 && packets[0].kind == kindResponse {
		o.add(packets[0])
	}
}

// replaceLast replaces the newest packet with p.
func (o *outbox) replaceLast(p *Packet) {
	last := &o.packets[len(o.packets)-1]
	o.bytes += len(p.frame) - len((*last).frame)
	*last = p
}

// take appends all packets to dst and empties the outbox.
func (o *outbox) take(dst []*Packet) []*Packet {
	dst = append(dst, o.packets...)
	if cap(o.packets) > keepCapacity {
		o.packets = nil
	} else {
		clear(o.packets)
		o.packets = o.packets[:0]
	}
	o.bytes, o.beyond = 0, 0
	return dst
}

func (o *outbox) empty() bool { return len(o.packets) == 0 }
