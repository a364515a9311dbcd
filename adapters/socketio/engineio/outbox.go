package engineio

// outbox holds what a session still has to send, in order. It is bounded by bytes. The session's
// mutex guards it.
type outbox struct {
	packets []*Packet
	bytes   int
	// beyond is how many of the bytes do not count against the limit.
	beyond int
}

// keepCapacity is the largest backing array, in packets, that an empty outbox keeps.
const keepCapacity = 32

// fits reports whether the packets pass the limit, in bytes, 0 for none. Where nothing else counts they
// always fit: a limit on their size is the sender's matter.
func (o *outbox) fits(limit int, packets ...*Packet) bool {
	if limit <= 0 || o.bytes == o.beyond {
		return true
	}
	return o.bytes-o.beyond+size(packets) <= limit
}

// add enqueues the packets.
func (o *outbox) add(packets ...*Packet) {
	o.packets = append(o.packets, packets...)
	o.bytes += size(packets)
}

// addBeyond enqueues the packets without counting them against the limit. They are not volatile.
func (o *outbox) addBeyond(packets ...*Packet) {
	o.add(packets...)
	o.beyond += size(packets)
}

func size(packets []*Packet) int {
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

// drop empties the outbox, but for the response to the handshake if that has not left yet: the client could make
// nothing of a frame before it.
func (o *outbox) drop() {
	packets := o.packets
	*o = outbox{}
	if len(packets) > 0 && packets[0].kind == kindResponse {
		o.add(packets[0])
	}
}

// replaceLast puts p in the place of the newest packet.
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
