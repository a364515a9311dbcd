package legacy

import (
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"

	eio "github.com/googollee/go-socket.io/engineio"
	"github.com/googollee/go-socket.io/engineio/packet"

	"parley/domain"
)

// closeTimeout is how long enqueued packets may take to leave when the server closes a session, and how long a
// client that was refused may take to disconnect by itself.
const closeTimeout = 5 * time.Second

// session is one client's connection, on whichever transport it uses at the moment.
type session struct {
	server *Server
	// id is the id by which the chat knows the session. The engine's id is a secret.
	id domain.SessionID
	// token is what the client signs in with; "" after that.
	token string
	// conn is the library's side of the session. It may be used once introduced is closed.
	conn       eio.Conn
	introduced chan struct{}

	// incoming passes packets from servePost to the reader. It has no buffer, so a client that sends faster than
	// its events are handled has to wait.
	incoming chan incoming
	// moved is closed when a WebSocket has taken over from polling, done when the session has ended.
	moved, done chan struct{}
	// violated says that the client violated the protocol. Only the session's own goroutine uses it.
	violated bool
	// told is closed when a poll has been answered that the session has ended.
	told chan struct{}
	// wake has a buffer of one: whoever empties the outbox looks at the session again.
	wake chan struct{}
	// sentAway says that the server ended the session for good.
	sentAway atomic.Bool
	// tasks are the goroutines that write to a WebSocket or close one. They are started before ended is set.
	tasks sync.WaitGroup

	mu sync.Mutex
	// deadline ends the session of a client that does not ping.
	deadline *time.Timer
	outbox   outbox
	// ready says that the library knows the session and the chat has decided on it: the handshake may be sent.
	ready bool
	// closing says that nothing more may be enqueued, but what was enqueued may still leave.
	closing bool
	ended   bool
	// toldClosed says that told is closed.
	toldClosed bool
	// polling and posting say that a request of that kind is being served.
	polling, posting bool
	// paused says that polls are answered with a noop: what is sent waits for the WebSocket.
	paused bool
	// upgrading is true from the request of an upgrade until it has succeeded or failed.
	upgrading bool
	// socket is the WebSocket in use, nil while polling; probe is the one that is to take over.
	socket, probe *socket
}

func newSession(srv *Server, token string) *session {
	s := &session{
		server: srv, id: domain.SessionID(rand.Text()), token: token, introduced: make(chan struct{}),
		incoming: make(chan incoming), moved: make(chan struct{}), done: make(chan struct{}), told: make(chan struct{}),
		wake: make(chan struct{}, 1),
	}
	s.deadline = time.AfterFunc(srv.config.PingInterval+srv.config.PingTimeout, s.end)
	return s
}

func (s *session) isIntroduced() bool {
	select {
	case <-s.introduced:
		return true
	default:
		return false
	}
}

// send enqueues a packet. It never blocks and does no I/O. A session whose outbox is full ends.
func (s *session) send(p outgoing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.closing {
		return
	}
	if !s.outbox.add(s.server.config.OutboxBytes, p) {
		s.endLocked()
		return
	}
	s.wakeUp()
}

func (s *session) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// heard postpones the session's end, because the client has pinged. t is PingTimeout from now; the next ping
// comes only after PingInterval.
func (s *session) heard(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended && !s.closing {
		s.deadline.Reset(time.Until(t) + s.server.config.PingInterval)
	}
}

// open lets the handshake be sent, and with it whether the client is signed in.
func (s *session) open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = true
	s.wakeUp()
	if s.socket != nil && !s.ended {
		s.startWriter(s.socket)
	}
}

// startWriter is called with mu held, before the session has ended.
func (s *session) startWriter(k *socket) { s.tasks.Go(func() { s.writeSocket(k) }) }

// writeSocket empties the outbox into the WebSocket until the session ends.
func (s *session) writeSocket(k *socket) {
	defer s.end()
	for {
		packets, open := s.takeForSocket()
		for _, p := range packets {
			switch {
			case p.kind == packet.CLOSE:
				if k.sayGoodbye() == nil {
					<-s.done // the client has closed its side, or closeTimeout is over
				}
				return
			case k.write(p) != nil:
				return
			}
		}
		if !open {
			return
		}
		select {
		case <-s.wake:
		case <-s.done:
		}
	}
}

func (s *session) takeForSocket() (packets []outgoing, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, false
	}
	return s.outbox.take(), true
}

// close ends the session once everything enqueued has left. The client sees its transport close and reconnects by
// itself.
func (s *session) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.closing {
		return
	}
	s.outbox.packets = append(s.outbox.packets, outgoing{kind: packet.CLOSE})
	s.dismissLocked()
}

func (s *session) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// dismiss lets nothing more be enqueued, and leaves it to the client to disconnect.
func (s *session) dismiss() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended && !s.closing {
		s.dismissLocked()
	}
}

func (s *session) dismissLocked() {
	s.closing = true
	s.deadline.Reset(closeTimeout)
	s.wakeUp()
}

// end ends the session at once. It may be called with any lock but the session's own held: whatever takes time is
// done on other goroutines.
func (s *session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked()
}

func (s *session) endLocked() {
	if s.ended {
		return
	}
	for _, k := range []*socket{s.socket, s.probe} {
		if k != nil {
			s.tasks.Go(func() { _ = k.Conn.Close() }) // it may be closed already
		}
	}
	s.ended = true
	close(s.done)
	s.deadline.Stop()
	s.outbox.take()
}
