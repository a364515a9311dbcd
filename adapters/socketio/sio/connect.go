package sio

import (
	"errors"
	"time"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/sio/packet"
)

// awaitConnect gives the client ConnectTimeout to connect to a namespace.
func (c *conn) awaitConnect() {
	c.deadline = time.AfterFunc(c.server.config.ConnectTimeout, c.session.Close)
}

func (c *conn) clearDeadline() {
	if c.deadline != nil {
		c.deadline.Stop()
		c.deadline = nil
	}
}

// connect admits the client to a namespace, or tells it why not ([protocol], "Connection to a namespace").
func (c *conn) connect(p *packet.Packet) {
	if c.socket(p.Namespace) != nil {
		c.violation(errTwice)
		return
	}
	n := c.find(p)
	if n == nil {
		c.refuse(p.Namespace, &ConnectError{Message: "Invalid namespace"})
		return
	}
	if n.name != "/" && len(c.others) >= maxNamespaces {
		c.refuse(p.Namespace, &ConnectError{Message: "Too many namespaces"})
		return
	}
	if n.recovers() && len(p.Data) > 0 && c.recover(n, p) {
		return
	}
	s := newSocket(c, n)
	if err := c.admit(n, &Connect{Socket: s, Auth: p.Data, Value: c.value}); err != nil {
		s.gone()
		c.refuse(n.name, err)
		return
	}
	c.clearDeadline()
	delete(c.removedFrom, n.name)
	c.add(s)
	if s.mayRecover() {
		c.session.Forget(n.name) // what was sent to an earlier socket of this connection
		n.pids.add(s)
	}
	c.session.Send(c.connectPacket(s))
	s.state.Store(socketConnected)
	if n.rooms != nil {
		n.rooms.Join(s)
	}
	n.connected(c, s)
}

// find returns the namespace that the client asks for, or nil. A match function that panics counts as a no.
func (c *conn) find(p *packet.Packet) *Namespace {
	defer func() {
		if v := recover(); v != nil {
			c.logPanic(v)
		}
	}()
	return c.server.find(p.Namespace, p.Data)
}

// connectPacket answers CONNECT with the socket's id, and with its pid if it may recover.
func (c *conn) connectPacket(s *Socket) *engineio.Packet {
	body := append(append(append(make([]byte, 0, 64), `{"sid":"`...), s.id...), '"')
	if s.mayRecover() {
		body = append(s.pid.append(append(body, `,"pid":"`...)), '"')
	}
	// The pid is a secret: if it were compressed together with text that others chose, the length would reveal
	// something about it.
	return c.replyPacket(packet.Connect, s.namespace.name, append(body, '}')).Uncompressed()
}

// admit asks the namespace's middleware. A panic in it refuses the socket.
func (c *conn) admit(n *Namespace, request *Connect) (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.logPanic(v)
			err = &ConnectError{Message: "internal error"}
		}
	}()
	for _, m := range n.middleware {
		if err := m(c.server.ctx, request); err != nil {
			return err
		}
	}
	return nil
}

// refuse answers CONNECT with CONNECT_ERROR. The connection stays open: the client may try again.
func (c *conn) refuse(namespace string, err error) {
	refusal, ok := errors.AsType[*ConnectError](err)
	if !ok {
		refusal = &ConnectError{Message: err.Error()}
	}
	var data []byte
	if refusal.Data != nil {
		if data, err = packet.Marshal(refusal.Data); err != nil {
			c.server.config.Logger.Error("sio: data of a connect error not encoded", "error", err)
		}
	}
	c.reply(packet.ConnectError, namespace, packet.AppendRefusal(nil, refusal.Message, data))
}
