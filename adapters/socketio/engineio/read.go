package engineio

import (
	"errors"
	"sync/atomic"

	"parley/adapters/socketio/engineio/netpoll"
)

// start begins to read the connection. early is what came right after the handshake.
func (ws *webSocket) start(early []byte) {
	s := ws.session
	ws.decoder.MaxMessage, ws.decoder.Deflate = s.server.config.MaxPayload, ws.socket.deflate > 0
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateClosed {
		return // ending the session has closed the socket
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

// readConn reads until the connection or the session ends, or until an upgrade has made the connection a polled one.
func (ws *webSocket) readConn(early []byte) {
	over := true
	defer ws.leave(&over)
	defer ws.session.recoverPanic()
	buf := readBuffers.Get().(*[readBufferSize]byte)
	defer readBuffers.Put(buf)
	var err error
	if len(early) > 0 {
		err = ws.feed(early) // may be a whole upgrade
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

// Ready implements netpoll.Handler. It starts a reader unless one is at work, so that a connection has a goroutine,
// with its stack and a buffer, only for as long as something arrives.
func (ws *webSocket) Ready(ended bool) {
	if ended {
		ws.ending.Store(true)
	}
	if ws.reading.begin() {
		go ws.readPolled(nil)
	}
}

// readPolled reads until there is nothing more to read, or the connection or the session ends.
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

// deepen makes the goroutine's stack as deep as handling a message needs, while there is next to nothing on it: if it
// grew step by step, it would be copied twice, frame by frame. It returns 0, which the compiler cannot know.
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
			return nil // that was all; Ready will tell of more
		}
	}
}

// leave ends a reader. If over is set, so is the connection: nobody reads it any more.
func (ws *webSocket) leave(over *bool) {
	if *over {
		ws.socket.close()
		ws.session.server.running.Done()
	}
}

// reading lets only one goroutine at a time read a polled connection. Once the connection is over, end is not called,
// so that no further reader is started.
type reading struct{ state atomic.Int32 }

const (
	resting int32 = iota
	atWork
	// calledAgain: more has come while a reader is at work.
	calledAgain
)

// begin reports whether the caller must start a reader. If one is at work, it will look again.
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

// end reports whether the reader may stop. If not, more has come in the meantime.
func (r *reading) end() bool {
	if r.state.CompareAndSwap(atWork, resting) {
		return true
	}
	r.state.Store(atWork)
	return false
}
