// Package socketio is the chat over Socket.IO: Server, inbound, turns clients' events into calls of
// ports.Chat; Hub, outbound, is the ports.Broadcaster that carries events to clients. They are two
// types because the application stands between them: it needs the Hub, and the Server needs it.
//
// The contract's names and wire structs are in requests.go (what clients send), answers.go (their acks) and
// events.go (what they are told). The protocol beneath is in packages sio and engineio, which know nothing of chat.
package socketio
