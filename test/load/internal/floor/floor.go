// Package floor is the least that a server can do for a chat room: one prepared frame and one write(2) per recipient,
// with no limits, no timeouts, no token check and no care for slow readers. It is not a server to use. It is the yardstick
// for "CPU per delivery", and the counterpart in the load generator's own tests.
//
// It writes under the room's lock on purpose: what is left to measure is the kernel's cost.
package floor

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"parley/test/load/internal/wire"
)

// Server answers Engine.IO v4 over WebSocket at any path but /healthz. The zero value is ready for use. The hooks are for
// tests; set them before serving.
type Server struct {
	// Admit returns the code with which a CONNECT is refused, or "" to accept it. body is the CONNECT's payload.
	Admit func(body []byte) (code string)
	// Deliver replaces the write of one message to the n-th receiver of a room (from 0).
	Deliver func(receiver int, seq uint64, frame []byte, write func([]byte))

	mu    sync.Mutex // guards rooms
	rooms map[string]*room
}

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}

type room struct {
	id      string
	epoch   string
	mu      sync.Mutex // held while writing: see the package comment
	seq     uint64
	members []net.Conn
}

// session is one connection; only its own goroutine touches it.
type session struct {
	ws    *websocket.Conn
	raw   net.Conn
	user  string
	rooms map[string]*room
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz" {
		return
	}
	ws, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	defer ws.Close()
	c := &session{ws: ws, raw: ws.NetConn(), user: uuid.NewString(), rooms: map[string]*room{}}
	defer c.leaveAll()
	c.write(`0{"sid":"` + c.user + `","upgrades":[],"pingInterval":25000,"pingTimeout":60000,"maxPayload":1000000}`)
	for {
		_, text, err := ws.ReadMessage()
		if err != nil || !s.packet(c, text) {
			return
		}
	}
}

// packet handles one client packet and reports whether to go on.
func (s *Server) packet(c *session, text []byte) bool {
	body, isConnect := strings.CutPrefix(string(text), "40")
	if isConnect {
		return s.connect(c, []byte(body))
	}
	p := wire.ParsePacket(text)
	if p.Kind != wire.Event {
		return p.Kind != wire.Disconnected && p.Kind != wire.Close
	}
	var args []json.RawMessage
	if json.Unmarshal(p.Body, &args) != nil || len(args) < 2 {
		return false
	}
	var arg struct{ ConversationID, Content string }
	if json.Unmarshal(args[1], &arg) != nil && json.Unmarshal(args[1], &arg.ConversationID) != nil {
		return false
	}
	switch string(args[0]) {
	case `"join_conversation"`:
		c.write(fmt.Sprintf(`43%d[%s]`, p.ID, s.join(c, arg.ConversationID)))
	case `"message"`:
		c.write(fmt.Sprintf(`43%d[%s]`, p.ID, s.send(c, arg.ConversationID, arg.Content)))
	}
	return true
}

func (s *Server) connect(c *session, body []byte) bool {
	if s.Admit != nil {
		if code := s.Admit(body); code != "" {
			c.write(`44{"message":"refused","data":{"code":"` + code + `"}}`)
			return true
		}
	}
	c.write(`40{"sid":"` + uuid.NewString() + `"}`)
	return true
}

func (s *Server) join(c *session, id string) string {
	s.mu.Lock()
	if s.rooms == nil {
		s.rooms = map[string]*room{}
	}
	r, found := s.rooms[id]
	if !found {
		r = &room{id: id, epoch: uuid.NewString()}
		s.rooms[id] = r
	}
	s.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, joined := c.rooms[id]; !joined {
		r.members = append(r.members, c.raw)
		c.rooms[id] = r
	}
	return fmt.Sprintf(`{"ok":true,"conversationId":%q,"epoch":%q,"seq":%d,"members":[],"recovered":false,"messages":[]}`,
		id, r.epoch, r.seq)
}

func (s *Server) send(c *session, id, content string) string {
	r, joined := c.rooms[id]
	if !joined {
		return `{"ok":false,"error":{"code":"NOT_IN_CONVERSATION","message":"join first"}}`
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seq++
	timestamp := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	messageID := uuid.NewString()
	frame := textFrame(fmt.Sprintf(
		`42["message",{"type":"message","conversationId":%q,"userId":%q,"content":%q,"timestamp":%q,"messageId":%q,"seq":%d}]`,
		id, c.user, content, timestamp, messageID, r.seq))
	for n, member := range r.members {
		if s.Deliver != nil {
			s.Deliver(n, r.seq, frame, func(b []byte) { _, _ = member.Write(b) })
			continue
		}
		// The receiver's own reader notices if it is gone.
		_, _ = member.Write(frame)
	}
	return fmt.Sprintf(`{"ok":true,"messageId":%q,"seq":%d,"epoch":%q,"timestamp":%q,"duplicate":false}`,
		messageID, r.seq, r.epoch, timestamp)
}

func (c *session) leaveAll() {
	for _, r := range c.rooms {
		r.mu.Lock()
		for i, member := range r.members {
			if member == c.raw {
				r.members = append(r.members[:i], r.members[i+1:]...)
				break
			}
		}
		r.mu.Unlock()
	}
}

// write sends one text packet. Other sessions write to the same connection, but only whole frames, one Write each, and
// net.Conn serialises these.
func (c *session) write(text string) { _, _ = c.raw.Write(textFrame(text)) }

// textFrame returns the text as one final, unmasked text frame (RFC 6455, section 5.2).
func textFrame(text string) []byte {
	frame := []byte{0x80 | wire.OpText}
	switch n := len(text); {
	case n < 126:
		frame = append(frame, byte(n))
	case n <= 0xFFFF:
		frame = binary.BigEndian.AppendUint16(append(frame, 126), uint16(n))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, 127), uint64(n))
	}
	return append(frame, text...)
}
