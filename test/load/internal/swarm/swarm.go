//go:build linux

// Package swarm is a crowd of Socket.IO clients in one process: thousands of connections that join conversations, send on
// an open schedule and account for every message they must get.
//
// It must cost far less than the server it loads, so there is no goroutine per connection. Each loop owns an epoll set, one
// large read buffer for all its connections, and the whole state of its clients, which nobody else touches while it runs.
// Other goroutines use a loop through call and post. Only two things are shared: a client's sockets with their unsent
// bytes, under the client's lock, and the counters in progress.
//
// After it has blocked, a loop naps (Config.Nap) before it reads, so that what arrives during the nap is read in one round.
// Without the nap the generator would wake once per message, and on loopback the server's own write pays for each wake-up.
// Measured latencies may be too long by the nap.
package swarm

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Config describes a crowd. In fields with a default, 0 means the default.
type Config struct {
	URL     string                            // http://host:port, the path defaults to /socket.io/
	Origin  string                            // Origin header of the handshake, none if empty
	Token   func(user string) (string, error) // the JWT of a user
	Clients int
	Rooms   int    // client i joins room i mod Rooms; default 1
	Users   int    // client i speaks for user i mod Users; default one user per client
	Stalled int    // the last Stalled clients never read again after Stall, and are not expected to receive
	Churn   int    // the Churn clients before those leave and join again in runs with a ChurnRate
	Idle    int    // further conversations, each joined by one client, in turn, and never used
	Drop    int    // the last Drop clients lose their connections in runs with a Drop, and recover them
	Polling bool   // over HTTP long-polling, not WebSocket
	Prefix  string // of user ids and conversation ids: keeps runs on one server apart

	Loops       int           // reading threads, default 1
	ConnectRate float64       // new connections per second, default 1000
	Dialers     int           // connections being set up at once, default 64
	JoinRate    float64       // joins per second, default 2000
	Joining     int           // joins unanswered at once, default 64
	Attempts    int           // per connection, default 4, with growing pauses
	Timeout     time.Duration // of one attempt to connect, and of joins while none is answered; default 20 s
	Sources     int           // local addresses 127.0.0.1…n to connect from; default one per 20,000 connections
	Nap         time.Duration // see the package comment; default 1 ms, negative for none
	Sample      int           // one message in so many is decoded and checked in full, default 1000
}

// clientsPerSource keeps the connections from one local address below the 28,232 ephemeral ports of Linux's default.
const clientsPerSource = 20_000

func (c Config) withDefaults() Config {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&c.Rooms, 1)
	def(&c.Users, c.Clients)
	def(&c.Loops, 1)
	def(&c.Dialers, 64)
	def(&c.Joining, 64)
	def(&c.Attempts, 4)
	connections := c.Clients
	if c.Polling {
		connections *= 2
	}
	def(&c.Sources, (connections+clientsPerSource-1)/clientsPerSource)
	def(&c.Sample, 1000)
	if c.ConnectRate == 0 {
		c.ConnectRate = 1000
	}
	if c.JoinRate == 0 {
		c.JoinRate = 2000
	}
	if c.Timeout == 0 {
		c.Timeout = 20 * time.Second
	}
	if c.Nap == 0 {
		c.Nap = time.Millisecond
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Clients < 1:
		return errors.New("swarm: at least one client is needed")
	case c.Rooms < 1 || c.Rooms > c.Clients:
		return fmt.Errorf("swarm: %d rooms for %d clients", c.Rooms, c.Clients)
	case c.Stalled < 0 || c.Stalled >= c.Clients:
		return fmt.Errorf("swarm: %d of %d clients stalled", c.Stalled, c.Clients)
	case c.Churn < 0 || c.Stalled+c.Churn >= c.Clients:
		return fmt.Errorf("swarm: %d of %d clients come and go, %d stall: nobody stays", c.Churn, c.Clients, c.Stalled)
	case c.Idle < 0:
		return fmt.Errorf("swarm: %d idle conversations", c.Idle)
	case c.Drop < 0 || c.Drop >= c.Clients || c.Drop > 0 && c.Stalled+c.Churn > 0:
		return fmt.Errorf("swarm: %d of %d clients dropped, beside %d that stall and %d that come and go", c.Drop, c.Clients, c.Stalled, c.Churn)
	case c.Drop > 0 && c.Polling:
		return errors.New("swarm: connections are dropped and recovered over WebSocket alone")
	case c.Token == nil:
		return errors.New("swarm: no token source")
	case c.Sources > 254:
		return errors.New("swarm: at most 254 local addresses")
	}
	return nil
}

// progress holds the sums of the loops' counters, which a waiting caller may read while the loops run.
type progress struct {
	delivered, arrived, due, answered, joins, others, bytes, agreed, reports atomic.Uint64
}

// Swarm is a crowd of clients. Its methods are for one caller at a time, in the order Connect,
// Join, Run (as often as wanted, with Stall before or between), Close.
type Swarm struct {
	cfg      Config
	target   target
	clock    time.Time // origin of all durations called "on the swarm's clock"
	clients  []*client
	rooms    []string // conversation ids
	loops    []*loop
	wait     sync.WaitGroup // the loops' goroutines
	progress progress
	nextAck  int64 // first ack id of the next run
}

// New prepares a crowd. It resolves the URL's host; nothing is connected and no goroutine runs before Connect. The error
// says what in the configuration is not allowed.
func New(cfg Config) (*Swarm, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	t, err := parseTarget(cfg.URL, cfg.Origin)
	if err != nil {
		return nil, err
	}
	s := &Swarm{cfg: cfg, target: t, clock: time.Now(), nextAck: firstFreeAck}
	for i := range cfg.Rooms {
		s.rooms = append(s.rooms, cfg.Prefix+"-"+strconv.Itoa(i))
	}
	for i := range cfg.Clients {
		s.clients = append(s.clients, &client{
			id:     i,
			user:   cfg.Prefix + "-user-" + strconv.Itoa(i%cfg.Users),
			room:   i % cfg.Rooms,
			stalls: i >= cfg.Clients-cfg.Stalled,
			drops:  i >= cfg.Clients-cfg.Drop,
			churns: i >= cfg.Clients-cfg.Stalled-cfg.Churn && i < cfg.Clients-cfg.Stalled,
			socket: socket{fd: -1},
		})
		if cfg.Polling {
			s.clients[i].up = &poster{socket: socket{fd: -1}}
		}
	}
	return s, nil
}

func (s *Swarm) now() time.Duration { return time.Since(s.clock) }

// start creates the loops, unless it has been called before.
func (s *Swarm) start() error {
	if s.loops != nil {
		return nil
	}
	for range s.cfg.Loops {
		l, err := newLoop(s)
		if err != nil {
			return err
		}
		s.loops = append(s.loops, l)
		s.wait.Go(l.run)
	}
	for i, c := range s.clients {
		c.loop = s.loops[i%len(s.loops)]
	}
	return nil
}

// each runs f for every loop, on the loop's own goroutine, one after the other.
func (s *Swarm) each(f func(l *loop)) {
	for _, l := range s.loops {
		l.call(func() { f(l) })
	}
}

// Open returns how many connections are open now.
func (s *Swarm) Open() (n int) {
	for _, c := range s.clients {
		if c.isOpen() {
			n++
		}
	}
	return n
}

// Close ends all connections and waits for the loops to end. It may be called again.
func (s *Swarm) Close() {
	s.each(func(l *loop) { l.stopping = true })
	s.wait.Wait()
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
