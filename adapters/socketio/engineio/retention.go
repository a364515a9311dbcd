package engineio

import "slices"

// retention is what a session remembers. The session's mutex guards it.
type retention struct {
	// packets are those not yet proved. All are numbered in order; the first of these has the number base.
	packets []*Packet
	bytes   int
	base    int
	// pinged is the number of the first packet after the last ping.
	pinged int
	// handed is the number of the first packet after those handed over by another session, which are counted apart:
	// packets that were accepted before are no reason to forget.
	handed int
	// gap is the number up to which packets were forgotten although not proved, because there were too many; 0 if there
	// is no gap. Until the client has proved those, nothing can be resumed.
	gap int
	// proved has one entry per channel.
	proved []channelOffset
	// successors are the sessions that carry on a channel after this one's end.
	successors map[string]*Session
}

// channelOffset is the last offset on a channel that the client has certainly got.
type channelOffset struct{ channel, offset string }

// add remembers the packets that are marked. limit is Config.Retain. If there are then too many, all are forgotten.
// After the session's end volatile packets are left out, since the client cannot have got them, and after a gap all
// are, since nothing can be resumed.
func (r *retention) add(limit int, ended bool, packets []*Packet) {
	if ended && r.gap > 0 {
		return
	}
	for _, p := range packets {
		if p.retained && (!ended || !p.volatile) {
			r.packets = append(r.packets, p)
			r.bytes += len(p.frame)
		}
	}
	most := retainAtMost * limit
	if !ended {
		most = min(most, limit+max(r.handed-r.base, 0))
	}
	if len(r.packets) > most || r.bytes > retainBytes {
		r.gap = r.base + len(r.packets)
		r.forget(len(r.packets))
	}
}

// handedOver notes that the next n packets come from another session.
func (r *retention) handedOver(n int) { r.handed = r.base + len(r.packets) + n }

// forget treats the first n packets as proved.
func (r *retention) forget(n int) {
	for _, p := range r.packets[:n] {
		r.bytes -= len(p.frame)
		if p.offset != "" {
			r.prove(p.channel, p.offset)
		}
	}
	r.base += n
	left := copy(r.packets, r.packets[n:])
	clear(r.packets[left:])
	r.packets = r.packets[:left]
	if left == 0 && cap(r.packets) > keepCapacity {
		r.packets = nil
	}
}

func (r *retention) prove(channel, offset string) {
	for i := range r.proved {
		if r.proved[i].channel == channel {
			r.proved[i].offset = offset
			return
		}
	}
	r.proved = append(r.proved, channelOffset{channel, offset})
}

// proofDue reports whether there is enough to prove to ping for it, if no ping is under way. limit is Config.Retain.
func (r *retention) proofDue(limit int) bool {
	return len(r.packets) > min(limit/4, provePackets) || r.bytes > proveBytes
}

// ping notes that a ping has been sent after all packets.
func (r *retention) ping() { r.pinged = r.base + len(r.packets) }

// pong treats the packets before the last ping as proved.
func (r *retention) pong() {
	if r.pinged >= r.gap {
		r.gap = 0
	}
	r.forget(max(r.pinged-r.base, 0))
}

// clear forgets the channel.
func (r *retention) clear(channel string) {
	for i := range r.proved {
		if r.proved[i].channel == channel {
			last := len(r.proved) - 1
			r.proved[i] = r.proved[last]
			r.proved[last] = channelOffset{}
			r.proved = r.proved[:last]
			break
		}
	}
	r.remove(func(_ int, p *Packet) bool { return p.channel == channel })
}

// dropVolatile forgets the volatile packets among those that are not sent yet, and now never will be: the client cannot
// have got them, so it must not be expected to give one of their offsets.
func (r *retention) dropVolatile(unsent []*Packet) {
	first := len(r.packets) // of the unsent packets
	for i := len(unsent) - 1; i >= 0 && first > 0; i-- {
		if r.packets[first-1] == unsent[i] {
			first--
		}
	}
	r.remove(func(i int, p *Packet) bool { return i >= first && p.volatile })
}

// got forgets the packet with that mark. Nothing is moved if there is none: a client may name any mark.
func (r *retention) got(channel string, mark uint64) {
	at := slices.IndexFunc(r.packets, func(p *Packet) bool { return p.mark == mark && p.channel == channel })
	if at < 0 {
		return
	}
	r.remove(func(i int, p *Packet) bool { return i >= at && p.mark == mark && p.channel == channel })
}

// remove forgets packets as if they had never been sent.
func (r *retention) remove(which func(i int, p *Packet) bool) {
	kept := r.packets[:0]
	pinged, handed := r.pinged, r.handed
	for i, p := range r.packets {
		if !which(i, p) {
			kept = append(kept, p)
			continue
		}
		r.bytes -= len(p.frame)
		if r.base+i < r.pinged {
			pinged--
		}
		if r.base+i < r.handed {
			handed--
		}
	}
	clear(r.packets[len(kept):])
	r.packets, r.pinged, r.handed = kept, pinged, handed
}

// missed returns the channel's packets after the offset, except volatile ones, which matter only in their moment. ok is
// false if some of them are forgotten, or if that cannot be told.
func (r *retention) missed(channel, offset string) (missed []*Packet, ok bool) {
	if r.gap > 0 {
		return nil, false
	}
	var found, known bool
	for _, c := range r.proved {
		if c.channel == channel {
			known, found = true, c.offset == offset
		}
	}
	skip := false
	for _, p := range r.packets {
		if p.channel != channel {
			continue
		}
		if p.offset != "" || p.mark != 0 {
			skip = p.volatile
		}
		if p.offset != "" && p.offset == offset {
			missed, found, skip = missed[:0], true, true
		}
		if !skip {
			missed = append(missed, p)
		}
	}
	// Nothing was ever proved and the offset is none of this session's: so the client has got nothing here, and its
	// offset is from an earlier session, if it gives one.
	return missed, found || !known
}
