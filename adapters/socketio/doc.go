// Package socketio is the chat over Socket.IO: Server, inbound, turns clients' events into calls of
// ports.Chat; Hub, outbound, is the ports.Broadcaster that carries events to clients. They are two
// types because the application stands between them: it needs the Hub, and the Server needs it.
//
// events.go holds every event name and wire struct of the contract. The protocol beneath is in
// packages sio and engineio, which know nothing of chat.
package socketio
