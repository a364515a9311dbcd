package engineio

// outbox holds what a session still has to send, in order. It is bounded by bytes. The session's
// mutex guards it.
type outbox struct {
	packets []*Packet
	// bytes is the size of what counts against the limit, answers that of what does not.
	bytes, answers int
}

// keepCapacity is the largest backing array, in packets, that an empty outbox keeps.
const keepCapacity = 32

// add enqueues the packets, all or none, unless that would pass the limit (bytes, 0 for none). Then
// volatile packets give way first: these, or those in the queue. It reports false if they must be sent
// and do not fit. Where nothing else counts they always fit: a limit on their size is the sender's matter.
func (o *outbox) add(limit int, packets ...*Packet) bool {
	if len(packets) == 0 {
		return true
	}
	size := 0
	for _, p := range packets {
		size += len(p.frame)
	}
	if limit > 0 && o.bytes+size > limit && o.bytes > 0 {
		if packets[0].volatile {
			return true
		}
		o.dropVolatile()
		if o.bytes+size > limit && o.bytes > 0 {
			return false
		}
	}
	o.packets = append(o.packets, packets...)
	o.bytes += size
	return true
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

// addAnswer enqueues packets that do not count against the limit; volatile ones, which may be dropped, do.
func (o *outbox) addAnswer(packets ...*Packet) {
	for _, p := range packets {
		if p.volatile {
			o.add(0, p)
			continue
		}
		o.packets = append(o.packets, p)
		o.answers += len(p.frame)
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
	o.bytes, o.answers = 0, 0
	return dst
}

func (o *outbox) empty() bool { return len(o.packets) == 0 }
