package domain

// Absence is where a session was when its connection dropped, kept for the time in which it may come back.
// Everything up to each place has been handed to the adapter that sends events to the session; what is later
// has not.
type Absence struct {
	User   UserID
	Places []Place
}

// Place is a position in a conversation.
type Place struct {
	Conversation ConversationID
	At           Position
	// Mark is opaque to the domain: the application notes in it what was sent besides messages.
	Mark uint64
}
