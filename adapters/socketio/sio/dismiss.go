package sio

import (
	"time"

	"parley/adapters/socketio/sio/packet"
)

// dismissAll takes the sockets out of their namespaces and ends the connection.
// Whatever the client still sends is ignored.
func (c *conn) dismissAll() {
	for _, s := range c.sockets() {
		s.leaving.Store(true)
		c.dismiss(s)
	}
	if !c.dismissed {
		c.dismissed = true
		c.stopWaiting()
		c.waiting = time.AfterFunc(farewell, c.session.Close)
	}
}

// farewell is how long a client has to close the connection by itself when the server has taken all of its
// sockets away, as socket.io-client does. If the server closed at once, that could see the transport's end
// before the last packets, take it for the reason, and come back.
const farewell = time.Second

// dismiss takes the socket out of its namespace and tells the client.
func (c *conn) dismiss(s *Socket) {
	c.reply(packet.Disconnect, s.namespace.name, nil)
	c.leave(s, ReasonServerDisconnect)
}
