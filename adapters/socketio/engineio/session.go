package engineio

import (
	"runtime/debug"
	"sync"
)

// Receiver gets what the client of one session sends. Its methods are never called at the same time.
type Receiver interface {
	// Receive gets one message: UTF-8 text, or bytes if binary is set. data is valid only during the call.
	Receive(data []byte, binary bool)
	// Closed is called once, after the last Receive.
	Closed(CloseReason)
}

// CloseReason says why a session ended, in the reference server's words where it has the reason.
type CloseReason string

const (
	// ReasonPingTimeout: the client did not answer a ping in time.
	ReasonPingTimeout CloseReason = "ping timeout"
	// ReasonParseError: the client sent something that is not a packet.
	ReasonParseError CloseReason = "parse error"
	// ReasonTransportError: the connection failed, the client violated the protocol, or the receiver panicked.
	ReasonTransportError CloseReason = "transport error"
	// ReasonTransportClose: the client closed the session or its connection.
	ReasonTransportClose CloseReason = "transport close"
	// ReasonForcedClose: the server closed the session, by Session.Close or Server.Shutdown.
	ReasonForcedClose CloseReason = "forced close"
	// ReasonSlowClient: the client did not read fast enough.
	ReasonSlowClient CloseReason = "slow client"
)

type sessionState uint8

const (
	stateOpen sessionState = iota
	// stateClosing: nothing more is accepted from either side, but what was enqueued, and the farewell, may still
	// leave.
	stateClosing
	stateClosed
)

// flushState says who may write to the session's WebSocket: only the goroutine for which flushWriting or flushParked
// was set.
type flushState uint8

const (
	flushIdle flushState = iota
	// flushQueued: the session is in the flusher's queue.
	flushQueued
	// flushWriting: a flusher worker is writing.
	flushWriting
	// flushParked: the socket takes no more, or is not polled; a goroutine started for this session waits and writes.
	flushParked
	// flushBroken: a write has failed; nothing can be sent any more.
	flushBroken
)

// Session is one client's connection, over whichever transport it currently uses.
type Session struct {
	server   *Server
	id       string
	receiver Receiver

	// inbound lets only one goroutine at a time call the receiver. It is locked before mu, never while mu is held.
	inbound sync.Mutex

	// mu guards everything below. It is held only briefly, never over I/O or a call to the application.
	mu       sync.Mutex
	state    sessionState
	flushing flushState
	outbox   outbox
	// ws is the WebSocket in use; nil means polling.
	ws *socket
	// upgrade is the WebSocket that is trying to take over from polling, if any.
	upgrade *socket
	// poll is the waiting polling request, if any.
	poll *poll
	// posting: a polling POST is in progress.
	posting bool
	// bye: the client said goodbye while polling. The session can be found for byeLinger more, by a late poll.
	bye bool
	// closeHeard: the client's WebSocket close frame has come.
	closeHeard bool
	// room is closed when the outbox is emptied or the session is no longer open; nil if nobody is waiting for that.
	room chan struct{}
	// turns are the functions given to Do that have not returned; the first may be running.
	turns []func()

	heartbeat heartbeat
	retention retention
}

// ID returns the session's id, a secret: whoever knows it can speak for the client over polling.
func (s *Session) ID() string { return s.id }

// Transport returns the transport in use: Polling or WebSocket.
func (s *Session) Transport() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ws != nil {
		return WebSocket
	}
	return Polling
}

// Send enqueues the packets, with nothing in between. Once the session is closing or over they are not sent to its
// client, but those marked with Packet.Retain go to the session that carries on their channel, or are remembered for
// it.
func (s *Session) Send(packets ...*Packet) {
	if dirty := s.enqueue(packets...); dirty != nil {
		dirty.server.flusher.push(dirty)
	}
}

// enqueue adds the packets to the outbox. It returns the session that the caller must then push to the flusher, if any:
// this one, or the one that carries on.
func (s *Session) enqueue(packets ...*Packet) (dirty *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(packets) == 0 {
		return nil
	}
	if s.state != stateOpen || s.flushing == flushBroken {
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

// makeRoomLocked reports whether the packets fit into the outbox, if need be after volatile packets have given way. If
// the given ones are volatile, they are those that give way: they do not fit.
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

// dirtyLocked wakes whoever sends the outbox. If that is the flusher, it returns the session, which the caller must
// push.
func (s *Session) dirtyLocked() *Session {
	if s.ws == nil {
		s.poll.wakeUp()
		return nil
	}
	if s.flushing != flushIdle {
		return nil
	}
	s.flushing = flushQueued
	return s
}

// Close ends the session after everything that is enqueued has left. The client sees its transport close, and may
// reconnect by itself.
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

// closeLocked begins to close the session, if it is open: the receiver is told, and the farewell becomes the last
// packet in the outbox. It returns the session if the caller must push it to the flusher.
func (s *Session) closeLocked(farewell *Packet, reason CloseReason) (dirty *Session) {
	if s.state != stateOpen {
		return nil
	}
	s.state = stateClosing
	s.signalRoomLocked()
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

// endLocked discards what is enqueued, closes the connection, and has the receiver told, unless the session was closing
// and it is told already.
func (s *Session) endLocked(reason CloseReason) {
	before := s.state
	if before == stateClosed {
		return
	}
	s.state = stateClosed
	s.signalRoomLocked()
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
			// Closing may have to wait for the descriptor, and the caller may hold locks.
			s.server.running.Go(ws.close)
		}
	}
	if before == stateOpen {
		s.server.running.Go(func() { s.finish(reason) })
	}
	s.server.running.Done()
}

// finish tells the receiver that the session is over, after the message that is being handled. It runs on a goroutine
// of its own, so that a session can be ended whatever locks the caller holds.
func (s *Session) finish(reason CloseReason) {
	s.inbound.Lock()
	defer s.inbound.Unlock()
	defer s.recoverPanic()
	if s.receiver != nil {
		s.receiver.Closed(reason)
	}
}

// receive handles one Engine.IO packet of the client. The caller holds inbound. It returns false if the session is
// over.
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
		// In v4 only the server pings ([protocol], "Heartbeat"); to the reference server, too, a client's ping is an
		// error.
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

// recoverPanic, deferred, confines a panic to the session, which ends.
func (s *Session) recoverPanic() {
	if v := recover(); v != nil {
		s.logPanic(v)
		s.end(ReasonTransportError)
	}
}

func (s *Session) logPanic(v any) {
	s.server.config.Logger.Error("engineio: panic in session", "panic", v, "stack", string(debug.Stack()))
}
