package legacy

import (
	"encoding/json"
	"errors"
	"strings"

	"parley/adapters/socketio/sio/packet"
	"parley/domain"
)

var errMissing = errors.New("legacy: too few arguments")

// client reads the packets of one client. It belongs to the session's goroutine.
type client struct {
	session *session
	// packets puts binary packets together.
	packets packet.Assembler
	// goodbye says that the client has disconnected from the namespace.
	goodbye bool
	// ended says that the latest message ended the session.
	ended bool
}

// broke reports whether the client violated the protocol.
func (c *client) broke() bool { return c.ended && !c.goodbye }

// receive handles one Engine.IO message, a packet or a part of a binary one, and reports whether the session goes
// on: it ends when the client disconnects or violates the protocol.
func (c *client) receive(data []byte, binary bool) (goesOn bool) {
	defer func() { c.ended = !goesOn }()
	decode := c.packets.Text
	if binary {
		decode = c.packets.Binary
	}
	p, whole, err := decode(data)
	if err != nil || !whole {
		return err == nil
	}
	// Clients of 2.x append their query to the namespace.
	p.Namespace, _, _ = strings.Cut(p.Namespace, "?")
	if p.Namespace != packet.RootNamespace {
		return c.elsewhere(&p)
	}
	switch p.Type {
	case packet.Connect: // everyone is in the root namespace from the start
		return true
	case packet.Disconnect:
		c.goodbye = true
		return false
	case packet.Event:
		return c.event(&p)
	case packet.Ack:
		if p.HasID {
			c.session.server.chat.Confirm(c.session.server.ctx, c.session.id, domain.DeliveryID(p.ID))
		}
		return true
	default:
		return false
	}
}

// elsewhere answers packets for other namespaces: there are none.
func (c *client) elsewhere(p *packet.Packet) bool {
	if p.Type == packet.Connect {
		c.session.send(newRefusal(p.Namespace, []byte(`{"message":"Invalid namespace"}`)))
	}
	return p.Type == packet.Connect || p.Type == packet.Disconnect
}

func (c *client) event(p *packet.Packet) bool {
	e := &call{session: c.session, attachments: p.Buffers, id: p.ID, wantsAck: p.HasID}
	args, err := p.Args(nil)
	if err == nil && len(args) == 0 {
		return true // an event without a payload calls no listener of the reference server
	}
	if err == nil {
		e.name, err = packet.EventName(args[0])
	}
	if err != nil {
		return false
	}
	e.args = args[1:]
	c.session.server.endpoints.Serve(c.session.server.ctx, e)
	return true
}

// call is a socketio.Call from an old client.
type call struct {
	session     *session
	name        string
	args        []json.RawMessage
	attachments [][]byte
	id          uint64
	wantsAck    bool
}

// Session is the calling client's session.
func (c *call) Session() domain.SessionID { return c.session.id }

// Event is the event's name.
func (c *call) Event() string { return c.name }

// WantsAck reports whether the client waits for an ack.
func (c *call) WantsAck() bool { return c.wantsAck }

// Bind decodes the event's arguments.
func (c *call) Bind(into ...any) error {
	if len(c.args) < len(into) {
		return errMissing
	}
	for i, v := range into {
		if err := packet.Bind(c.args[i], c.attachments, v); err != nil {
			return err
		}
	}
	return nil
}

// Ack answers the event. Only the first call has an effect, and only if the client waits for an ack.
func (c *call) Ack(args ...any) error {
	if !c.wantsAck {
		return nil
	}
	p, err := newAck(c.id, args...)
	if err != nil {
		return err
	}
	c.wantsAck = false
	c.session.send(p)
	return nil
}

// Emit sends an event to the calling client only.
func (c *call) Emit(event string, args ...any) error {
	p, err := newEvent(event, args...)
	if err != nil {
		return err
	}
	c.session.send(p)
	return nil
}
