package engineio

import (
	"errors"
	"sync/atomic"

	"parley/adapters/socketio/engineio/netpoll"
)

// start begins to read, first the bytes that came right behind the handshake.
func (ws *webSocket) start(early []byte) {
	s := ws.session
	ws.decoder.MaxMessage, ws.decoder.Deflate = s.server.config.MaxPayload, ws.socket.deflate > 0
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateClosed {
		return // its end has closed the socket
	}
	s.server.running.Add(1)
	if ws.socket.polled == nil {
		go ws.readConn(early)
		return
	}
	if len(early) > 0 {
		ws.reading.begin()
	}
	if err := ws.socket.polled.Watch(ws); err != nil {
		s.endLocked(ReasonTransportError)
		s.server.running.Done()
		return
	}
	if len(early) > 0 {
		go ws.readPolled(early)
	}
}

// readConn reads until the connection or the session ends, or until an upgrade has made it a polled one.
func (ws *webSocket) readConn(early []byte) {
	over := true
	defer ws.leave(&over)
	defer ws.session.recoverPanic()
	buf := readBuffers.Get().(*[readBufferSize]byte)
	defer readBuffers.Put(buf)
	var err error
	if len(early) > 0 {
		err = ws.feed(early) // which may be a whole upgrade
	}
	for err == nil && ws.socket.polled == nil {
		var n int
		if n, err = ws.socket.conn.Read(buf[:]); n > 0 {
			err = errors.Join(ws.feed(buf[:n]), err)
		}
	}
	if err == nil {
		err = ws.socket.polled.Watch(ws)
	}
	if err == nil {
		over = false
		return
	}
	ws.ended(err)
}

// Ready implements netpoll.Handler. What a connection needs while something comes, a goroutine, its stack and a
// buffer, it has for just that long.
func (ws *webSocket) Ready(ended bool) {
	if ended {
		ws.ending.Store(true)
	}
	if ws.reading.begin() {
		go ws.readPolled(nil)
	}
}

// readPolled reads until nothing more has come, or the connection or the session ends.
func (ws *webSocket) readPolled(early []byte) {
	deepen(len(early))
	over := true
	defer ws.leave(&over)
	defer ws.session.recoverPanic()
	var err error
	if len(early) > 0 {
		err = ws.feed(early)
	}
	for err == nil {
		if err = ws.readAvailable(); err == nil && ws.reading.end() {
			over = false
			return
		}
	}
	ws.ended(err)
}

// deepen makes the goroutine's stack as deep as handling a message takes, while there is next to nothing on it: when
// it grows by and by, it is copied twice, frame by frame. It returns what the compiler cannot know to be 0.
//
//go:noinline
func deepen(n int) byte {
	var room [6 << 10]byte
	return room[n%len(room)]
}

func (ws *webSocket) readAvailable() error {
	buf := readBuffers.Get().(*[readBufferSize]byte)
	defer readBuffers.Put(buf)
	for {
		n, err := ws.socket.polled.Read(buf[:])
		if errors.Is(err, netpoll.ErrWouldBlock) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := ws.feed(buf[:n]); err != nil {
			return err
		}
		if n < len(buf) && !ws.ending.Load() {
			return nil // that was all; of more, Ready tells
		}
	}
}

// leave ends a reader: if the connection is over, nobody reads it any more.
func (ws *webSocket) leave(over *bool) {
	if *over {
		ws.socket.close()
		ws.session.server.running.Done()
	}
}

// reading lets one goroutine at a time read a polled connection. It is never ended after the connection is over.
type reading struct{ state atomic.Int32 }

const (
	resting int32 = iota
	atWork
	// calledAgain: more has come while one was at work.
	calledAgain
)

// begin reports whether the caller has to start a reader. One that is at work will look again.
func (r *reading) begin() bool {
	for {
		state := r.state.Load()
		if state == calledAgain {
			return false
		}
		if r.state.CompareAndSwap(state, state+1) {
			return state == resting
		}
	}
}

// end reports whether the reader may go. If not, more has come in the meantime.
func (r *reading) end() bool {
	if r.state.CompareAndSwap(atWork, resting) {
		return true
	}
	r.state.Store(atWork)
	return false
}
