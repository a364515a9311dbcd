//go:build linux

package swarm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"parley/test/load/internal/wire"
)

// A polling client has two connections, as in a browser: on one, a GET is always waiting, and the other one posts. Packets
// sent while a POST is under way go out together in the next one.
//
// Unlike a browser, it does not offer to decompress responses: the generator would have to spend CPU on that.

const (
	// maxPost bounds the body of a POST in bytes: servers take 1,000,000.
	maxPost = 900_000
	// maxIdle is how long after its last use a connection for posts is used again. Node's server closes one after 5 s, and
	// a POST sent at the same moment would be lost.
	maxIdle = 2 * time.Second
)

// poster is the sending side of a polling client. The client's lock guards all of it but stream.
type poster struct {
	socket
	sid     string
	source  byte
	queue   [][]byte      // packets for the next POST
	queued  int           // bytes in queue
	waiting bool          // a POST is under way
	used    time.Duration // when the last answer came, on the swarm's clock

	stream wire.Stream // belongs to the loop
}

func (u *poster) begin(e established, now time.Duration) {
	u.used = now
	u.fd, u.sid, u.source = e.post, e.sid, e.source
	u.queue, u.queued, u.waiting = nil, 0, false
	u.stream.Keep(nil)
}

// post sends one packet as soon as the POST under way, if any, is answered.
func (c *client) post(text []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd < 0 {
		return errClosed
	}
	u := c.up
	if u.queued+len(text) > maxUnsent {
		return errUnsent
	}
	u.queue, u.queued = append(u.queue, bytes.Clone(text)), u.queued+len(text)
	if u.waiting {
		return nil
	}
	return c.startPost()
}

// startPost sends what is queued. The caller holds the lock, and no POST is under way.
func (c *client) startPost() error {
	u, s := c.up, c.loop.swarm
	if u.fd >= 0 && s.now()-u.used > maxIdle {
		u.close()
	}
	if u.fd < 0 {
		fd, err := s.target.begin(u.source)
		if err != nil {
			return err
		}
		if err := c.loop.add(c, fd, up); err != nil {
			_ = unix.Close(fd)
			return err
		}
		u.fd = fd
	}
	body := u.take()
	u.waiting = true
	return c.writeTo(&u.socket, up, s.target.appendPost(nil, u.sid, body))
}

// take removes the packets for one POST from the queue and returns them as its body.
func (u *poster) take() (body []byte) {
	n := 0
	for n < len(u.queue) && (n == 0 || len(body)+1+len(u.queue[n]) <= maxPost) {
		if n > 0 {
			body = append(body, wire.Separator)
		}
		body = append(body, u.queue[n]...)
		u.queued -= len(u.queue[n])
		n++
	}
	u.queue = u.queue[n:]
	return body
}

// serveUp reads the answer to a POST.
func (l *loop) serveUp(c *client, events uint32) {
	n, head, idle, err := l.readUp(c, events)
	switch {
	case n < 0: // nothing to be read
		return
	case err != nil || n == 0 || idle:
		if idle { // the server has closed a connection that was not in use
			c.mu.Lock()
			c.up.close()
			c.mu.Unlock()
			return
		}
		if err == nil {
			err = errClosed
		}
		l.drop(c, "POST: "+err.Error())
		return
	}
	b := c.up.stream.Join(l.buf, head, n)
	r, took, err := wire.CutResponse(b)
	switch {
	case err != nil:
		l.drop(c, "POST: "+err.Error())
		return
	case took == 0:
		c.up.stream.Keep(b)
		return
	case r.Status != 200 || took < len(b):
		l.drop(c, "POST: HTTP "+strconv.Itoa(r.Status))
		return
	}
	c.up.stream.Keep(nil)
	if err := c.posted(r.Close); err != nil {
		l.drop(c, "POST: "+err.Error())
	}
}

// readUp reads once; n is -1 if there is nothing to read. idle reports that no POST was under way. It holds the lock,
// because a sender may be about to open another connection.
func (l *loop) readUp(c *client, events uint32) (n, head int, idle bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.up.fd < 0 {
		return -1, 0, false, nil
	}
	if events&unix.EPOLLOUT != 0 {
		if err := c.flush(&c.up.socket, up); err != nil {
			return 0, 0, false, err
		}
	}
	head = c.up.stream.Load(l.buf)
	n, err = unix.Read(c.up.fd, l.buf[head:])
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return -1, 0, false, nil
	}
	return max(n, 0), head, !c.up.waiting, err
}

// posted notes that a POST was answered, and posts what has been queued meanwhile. closes says that the server closes the
// connection.
func (c *client) posted(closes bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd < 0 {
		return nil
	}
	c.up.waiting, c.up.used = false, c.loop.swarm.now()
	if closes {
		c.up.close()
	}
	if len(c.up.queue) == 0 {
		return nil
	}
	return c.startPost()
}

// cutPoll handles the answer to a GET once it is whole.
func (l *loop) cutPoll(c *client, b []byte, now time.Duration) {
	r, took, err := wire.CutResponse(b)
	switch {
	case err != nil:
		l.drop(c, "GET: "+err.Error())
		return
	case took == 0:
		c.stream.Keep(b)
		return
	case r.Status != 200 || took < len(b):
		l.drop(c, "GET: HTTP "+strconv.Itoa(r.Status))
		return
	}
	// The body may be part of the stream's leftovers, so these are dropped only after it has been handled.
	if r.Close {
		if err := l.reopen(c); err != nil {
			l.drop(c, "GET: "+err.Error())
			return
		}
	}
	l.polled(c, r.Body, now)
	c.stream.Keep(nil)
}

// polled handles the packets of a response's body, and polls again.
func (l *loop) polled(c *client, body []byte, now time.Duration) {
	for more := len(body) > 0; more; {
		var packet []byte
		packet, body, more = wire.CutPacket(body)
		if reason := l.text(c, packet, now); reason != "" {
			l.drop(c, reason)
			return
		}
	}
	if c.stalled || c.fd < 0 {
		return
	}
	if err := c.write(l.swarm.target.appendPoll(nil, c.up.sid)); err != nil {
		l.drop(c, "GET: "+err.Error())
	}
}

// reopen replaces the connection that polls, which the server closes.
func (l *loop) reopen(c *client) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.close()
	fd, err := l.swarm.target.begin(c.up.source)
	if err != nil {
		return err
	}
	if err := l.add(c, fd, down); err != nil {
		_ = unix.Close(fd)
		return err
	}
	c.fd = fd
	return nil
}

// poll sets up a session by polling: Engine.IO open, then CONNECT. It opens the second connection, the one that posts.
func (h *handshake) poll(t target, source byte, token string) (e established, err error) {
	open, err := h.exchange(t.appendPoll(nil, ""))
	if err != nil {
		return e, fmt.Errorf("engine.io open: %w", err)
	}
	p := wire.ParsePacket(open)
	var session struct{ Sid string }
	if p.Kind != wire.Open || json.Unmarshal(p.Body, &session) != nil || session.Sid == "" {
		return e, fmt.Errorf("engine.io open: %w", cmpError(nil, p))
	}
	e = established{fd: h.fd, sid: session.Sid, source: source}
	if e.post, err = t.dial(source, h.deadline); err != nil {
		return e, err
	}
	poster := handshake{fd: e.post, deadline: h.deadline}
	defer func() {
		if err != nil {
			poster.close()
		}
	}()
	if _, err = poster.exchange(t.appendPost(nil, e.sid, []byte(`40{"token":"`+token+`"}`))); err != nil {
		return e, fmt.Errorf("connect packet: %w", err)
	}
	body, err := h.exchange(t.appendPoll(nil, e.sid))
	if err != nil {
		return e, fmt.Errorf("connect answer: %w", err)
	}
	packet, rest, _ := wire.CutPacket(body)
	switch p := wire.ParsePacket(packet); p.Kind {
	case wire.Connected:
		e.rest = rest
		return e, nil
	case wire.Refused:
		return e, &refusedError{code: wire.ScanCode(p.Body)}
	default:
		return e, fmt.Errorf("connect answer: %w", cmpError(nil, p))
	}
}

// exchange makes one request and returns the answer's body.
func (h *handshake) exchange(request []byte) ([]byte, error) {
	if _, err := h.Write(request); err != nil {
		return nil, err
	}
	for {
		r, n, err := wire.CutResponse(h.in)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			h.in = h.in[n:]
			if r.Status != 200 {
				return nil, fmt.Errorf("HTTP %d", r.Status)
			}
			if r.Close {
				return nil, errClosed
			}
			return r.Body, nil
		}
		var more [1024]byte
		got, err := h.Read(more[:])
		if err != nil {
			return nil, err
		}
		h.in = append(h.in, more[:got]...)
	}
}

// headers are those of a browser, without Accept-Encoding.
const headers = "Connection: keep-alive\r\nAccept: */*\r\nAccept-Language: en-US,en;q=0.9\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\r\n"

func (t target) appendPoll(dst []byte, sid string) []byte {
	return append(t.appendHead(dst, "GET", sid), "\r\n"...)
}

func (t target) appendPost(dst []byte, sid string, body []byte) []byte {
	dst = t.appendHead(dst, "POST", sid)
	dst = append(dst, "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(body)), 10)
	dst = append(dst, "\r\n\r\n"...)
	return append(dst, body...)
}

func (t target) appendHead(dst []byte, method, sid string) []byte {
	dst = append(append(append(dst, method...), ' '), t.path...)
	dst = append(dst, "?EIO=4&transport=polling&t="...)
	dst = strconv.AppendUint(dst, uint64(rand.Uint32()), 36) // keeps caches from answering, as in the official client
	if sid != "" {
		dst = append(append(dst, "&sid="...), sid...)
	}
	dst = append(append(append(dst, " HTTP/1.1\r\nHost: "...), t.host...), "\r\n"...)
	dst = append(dst, headers...)
	if t.origin != "" {
		dst = append(append(append(dst, "Origin: "...), t.origin...), "\r\n"...)
	}
	return dst
}
