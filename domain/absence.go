package domain

// Absence is where a session was when its connection dropped, for the time it may come back. It holds
// everything up to each place in the hands of whoever carries events to the session: what is later
// than that has not been sent to it.
type Absence struct {
	User   UserID
	Places []Place
}

// Place is a position in a conversation.
type Place struct {
	Conversation ConversationID
	At           Position
	// Mark is the application's, for what was told besides messages.
	Mark uint64
}
