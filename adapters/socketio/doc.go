// Package socketio is the chat over Socket.IO. Server, the inbound half, turns clients' events into calls of ports.Chat;
// Hub, the outbound half, is the ports.Broadcaster that sends events to clients. They are two types because the
// application stands between them: the application needs the Hub, and the Server needs the application.
//
// The wire contract is in requests.go (what clients send), answers.go (the acks that they get) and events.go (the events
// that they get). The protocol itself is in packages sio and engineio, which know nothing of chat.
package socketio
