package sio

import (
	"time"

	"parley/adapters/socketio/sio/packet"
)

// dismissAll takes the sockets out of their namespaces and ends the connection. Whatever the client still sends
// is ignored.
func (c *conn) dismissAll() {
	for _, s := range c.sockets() {
		s.leaving.Store(true)
		c.dismiss(s)
	}
	if !c.ending {
		c.ending = true
		c.clearDeadline()
		c.deadline = time.AfterFunc(farewell, c.session.Close)
	}
}

// farewell is how long a client whose sockets were all disconnected has to close the connection by itself, as
// socket.io-client does. If the server closed it at once, the client could notice the end of the transport before
// it has read the last packets, take that for the reason, and reconnect.
const farewell = time.Second

// dismiss takes the socket out of its namespace and tells the client.
func (c *conn) dismiss(s *Socket) {
	c.reply(packet.Disconnect, s.namespace.name, nil)
	c.leave(s, ReasonServerDisconnect)
}
