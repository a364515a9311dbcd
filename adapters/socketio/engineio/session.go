package engineio

import (
	"runtime/debug"
	"sync"
)

// Receiver gets what the client of one session sends.
type Receiver interface {
	// Receive gets one message: UTF-8 text, or bytes if binary. data is valid only during the call.
	Receive(data []byte, binary bool)
	// Closed is called once, after the last Receive.
	Closed(CloseReason)
}

// CloseReason says why a session ended, in the reference server's words where it has one.
type CloseReason string

// The reasons.
const (
	ReasonPingTimeout    CloseReason = "ping timeout"
	ReasonParseError     CloseReason = "parse error"
	ReasonTransportError CloseReason = "transport error"
	ReasonTransportClose CloseReason = "transport close"
	ReasonForcedClose    CloseReason = "forced close"
	// ReasonSlowClient: the client did not read fast enough for its outbox.
	ReasonSlowClient CloseReason = "slow client"
)

type sessionState uint8

const (
	stateOpen sessionState = iota
	// stateClosing: no more in or out, but what was enqueued, and the farewell, may still leave.
	stateClosing
	stateClosed
)

// flushState says who may write to the session's WebSocket. Only the holder of flushWriting or
// flushParked does.
type flushState uint8

const (
	flushIdle flushState = iota
	// flushQueued: the session is in the flusher's queue.
	flushQueued
	// flushWriting: a flusher worker writes.
	flushWriting
	// flushParked: the socket's buffer is full; a goroutine of its own waits and writes.
	flushParked
	// flushBroken: a write has failed, nothing can be sent any more.
	flushBroken
)

// Session is one client's connection, over whichever transport it uses at the moment.
type Session struct {
	server   *Server
	id       string
	receiver Receiver

	// inbound makes calls to the receiver one after another. Locked before mu, never while holding it.
	inbound sync.Mutex

	// mu guards all below. It is held for moments only, never over I/O or a call out.
	mu     sync.Mutex
	state  sessionState
	flushs flushState
	outbox outbox
	// ws is the WebSocket in use; nil means polling.
	ws *socket
	// upgrade is the WebSocket that may take over from polling, if any.
	upgrade *socket
	// poll is the waiting polling request, if any.
	poll *poll
	// posting: a polling POST is in progress.
	posting bool
	// bye: the client said goodbye while polling. The id is kept for a moment, for a late poll.
	bye bool
	// closeHeard: the client's WebSocket close frame has come.
	closeHeard bool
	// room is closed when the outbox is emptied; nil if nobody waits for that.
	room chan struct{}
	// turns are calls of Do that are still to be made; the first may be under way.
	turns []func()

	heartbeat heartbeat
	retention retention
}

// ID is the session's secret: whoever knows it can speak for the client over polling.
func (s *Session) ID() string { return s.id }

// Transport names the transport in use.
func (s *Session) Transport() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ws != nil {
		return WebSocket
	}
	return Polling
}

// Send enqueues the packets, with nothing in between. After the session's end it does nothing, but
// that packets to be retained go to the session that carries on.
func (s *Session) Send(packets ...*Packet) {
	if dirty := s.enqueue(packets...); dirty != nil {
		dirty.server.flusher.push(dirty)
	}
}

// enqueue adds the packets to the outbox and returns the session that must now be pushed to the
// flusher, if any.
func (s *Session) enqueue(packets ...*Packet) (dirty *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(packets) == 0 {
		return nil
	}
	if s.state != stateOpen || s.flushs == flushBroken {
		if next := s.successorLocked(packets); next != nil {
			return next.enqueue(packets...)
		}
		s.retainLocked(packets)
		return nil
	}
	if !s.makeRoomLocked(packets) {
		if packets[0].volatile {
			return nil
		}
		if s.ws != nil {
			s.ws.reset()
		}
		s.endLocked(ReasonSlowClient)
		s.retainLocked(packets)
		return nil
	}
	s.outbox.add(packets...)
	s.retainLocked(packets)
	return s.dirtyLocked()
}

// makeRoomLocked reports whether the packets fit into the outbox, after volatile ones have given way:
// these, or those in the queue.
func (s *Session) makeRoomLocked(packets []*Packet) bool {
	limit := s.server.config.OutboxBytes
	if s.outbox.fits(limit, packets...) {
		return true
	}
	if packets[0].volatile {
		return false
	}
	s.retention.dropVolatile(s.outbox.packets)
	s.outbox.dropVolatile()
	return s.outbox.fits(limit, packets...)
}

// dirtyLocked wakes whoever sends the outbox, and returns the session if that must be the flusher.
func (s *Session) dirtyLocked() *Session {
	if s.ws == nil {
		s.poll.wakeUp()
		return nil
	}
	if s.flushs != flushIdle {
		return nil
	}
	s.flushs = flushQueued
	return s
}

// Close ends the session after what is enqueued has left. The client sees its transport close, and
// may reconnect by itself.
func (s *Session) Close() {
	s.mu.Lock()
	farewell := endPacket
	if s.ws != nil {
		farewell = plainClose
	}
	dirty := s.closeLocked(farewell, ReasonForcedClose)
	s.mu.Unlock()
	if dirty != nil {
		s.server.flusher.push(s)
	}
}

// closeLocked begins the end, unless that has happened: the receiver is told, and behind what is
// enqueued leaves only the farewell. It returns the session if it must now be pushed to the flusher.
func (s *Session) closeLocked(farewell *Packet, reason CloseReason) (dirty *Session) {
	if s.state != stateOpen {
		return nil
	}
	s.state = stateClosing
	s.roomLocked()
	s.outbox.add(farewell)
	s.heartbeat.set(s, s.lingerLocked())
	s.server.running.Go(func() { s.finish(reason) })
	return s.dirtyLocked()
}

// end closes the session at once, unless it is over already.
func (s *Session) end(reason CloseReason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(reason)
}

func (s *Session) endLocked(reason CloseReason) {
	before := s.state
	if before == stateClosed {
		return
	}
	s.state = stateClosed
	s.roomLocked()
	s.outbox = outbox{}
	if s.bye {
		s.heartbeat.set(s, byeLinger)
	} else {
		s.heartbeat.stop()
	}
	s.server.sessions.retire(s, s.bye)
	s.poll.wakeUp()
	for _, ws := range []*socket{s.ws, s.upgrade} {
		if ws != nil {
			// Closing may have to wait for the descriptor, and the caller may hold locks of its own.
			s.server.running.Go(ws.close)
		}
	}
	if before == stateOpen {
		s.server.running.Go(func() { s.finish(reason) })
	}
	s.server.running.Done()
}

// finish tells the receiver, on a goroutine of its own so that whoever ends a session need not care
// which locks it holds. Messages being handled are finished first.
func (s *Session) finish(reason CloseReason) {
	s.inbound.Lock()
	defer s.inbound.Unlock()
	defer s.recoverPanic()
	if s.receiver != nil {
		s.receiver.Closed(reason)
	}
}

// receive hands one Engine.IO packet of the client to the receiver. The caller holds inbound. It
// reports false if the session is over.
func (s *Session) receive(packetType byte, data []byte, binary bool) bool {
	if !s.isOpen() {
		return false
	}
	switch packetType {
	case typeMessage:
		defer s.recoverPanic()
		s.receiver.Receive(data, binary)
		s.awaitRoom()
	case typePong:
		s.pong()
	case typeClose:
		s.goodbye()
		return false
	case typePing:
		// [protocol] In v4 the server pings; the reference server takes a client's ping for an error.
		s.quit(ReasonTransportError)
		return false
	case typeOpen, typeUpgrade, typeNoop:
	default:
		s.quit(ReasonParseError)
		return false
	}
	return true
}

func (s *Session) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == stateOpen
}

// recoverPanic keeps a panic to its own session.
func (s *Session) recoverPanic() {
	if v := recover(); v != nil {
		s.logPanic(v)
		s.end(ReasonTransportError)
	}
}

func (s *Session) logPanic(v any) {
	s.server.config.Logger.Error("engineio: panic in session", "panic", v, "stack", string(debug.Stack()))
}
