package model

// Run is all that is known of a run that is over. It can be written and read as JSON.
type Run struct {
	Parties []Party `json:"parties"`
	// Conversations are their final states, by id.
	Conversations map[string]Conversation `json:"conversations"`
}

// Conversation is what the server says of a conversation after the run.
type Conversation struct {
	// Members are the users present, in any order.
	Members []string `json:"members"`
	Epoch   string   `json:"epoch"`
	// Log is its whole history, from seq 1 on.
	Log []Message `json:"log"`
}

// Party is one client, through all its connections.
type Party struct {
	User string `json:"user"`
	// Records are in the order in which things happened to the client.
	Records []Record `json:"records"`
}

// Kind says what happened to a client.
type Kind string

// The kinds of records. Each comment names the fields of the Record that are set besides At.
const (
	// Connected: CONNECT was accepted. SID, and Recovered if the socket is that of an earlier connection.
	Connected Kind = "connected"
	// Dropped: the connection is lost.
	Dropped Kind = "dropped"
	// Goodbye: the client tells the server that it ends the connection.
	Goodbye Kind = "goodbye"
	// Joined: Conversation, After if it was asked for, Recovered, Seq (of the newest message), Epoch, Members, Messages.
	// This and all other answers also have Asked.
	Joined Kind = "joined"
	// Left: Conversation.
	Left Kind = "left"
	// Sending: Send. It is noted before the message goes out; an answer may never come.
	Sending Kind = "sending"
	// Accepted: Send as in Sending, Seq, Epoch, MessageID, Timestamp, Duplicate.
	Accepted Kind = "accepted"
	// Refused: Send as in Sending, Code.
	Refused Kind = "refused"
	// Answered: the server has answered another event; Messages if it was history.
	Answered Kind = "answered"
	// Heard: the client got a message event. Message.
	Heard Kind = "heard"
	// Arrived and Departed: the client got a user_joined or user_left. Conversation, User, Timestamp.
	Arrived  Kind = "arrived"
	Departed Kind = "departed"
	// Acking: Conversation, Seq, UpTo. It is noted before the ack goes out, and the ack goes out before anything that the
	// client asks later.
	Acking Kind = "acking"
	// Reported: the client got a message_delivered. Report.
	Reported Kind = "reported"
)

// Record is one thing that happened to a client.
type Record struct {
	Kind Kind `json:"kind"`
	// At and Asked are microseconds since the Unix epoch, by one clock for all parties and the server. Asked is when the
	// client asked for what is answered here, taken before the question went out.
	At           int64     `json:"at"`
	Asked        int64     `json:"asked,omitempty"`
	SID          string    `json:"sid,omitempty"`
	Recovered    bool      `json:"recovered,omitempty"`
	Conversation string    `json:"conversation,omitempty"`
	After        *uint64   `json:"after,omitempty"`
	Seq          uint64    `json:"seq,omitempty"`
	Epoch        string    `json:"epoch,omitempty"`
	Members      []string  `json:"members,omitempty"`
	Messages     []Message `json:"messages,omitempty"`
	Send         *Send     `json:"send,omitempty"`
	MessageID    string    `json:"messageId,omitempty"`
	Timestamp    string    `json:"timestamp,omitempty"`
	Duplicate    bool      `json:"duplicate,omitempty"`
	Code         string    `json:"code,omitempty"`
	Message      *Message  `json:"message,omitempty"`
	User         string    `json:"user,omitempty"`
	// UpTo says that the ack is for everything up to Seq.
	UpTo   bool    `json:"upTo,omitempty"`
	Report *Report `json:"report,omitempty"`
}

// Send is a message as a client sends it. Repeats have the same id and content; two different messages never have the
// same content.
type Send struct {
	Conversation string `json:"conversation"`
	// ID is "" if the client leaves it to the server.
	ID      string `json:"id,omitempty"`
	Content string `json:"content"`
	Confirm bool   `json:"confirm,omitempty"`
	NoEcho  bool   `json:"noEcho,omitempty"`
	// Bad says that the server must refuse it.
	Bad bool `json:"bad,omitempty"`
}

// Message is a message as the server sends it.
type Message struct {
	ConversationID string `json:"conversationId"`
	UserID         string `json:"userId"`
	Content        string `json:"content"`
	MessageID      string `json:"messageId"`
	Timestamp      string `json:"timestamp"`
	Seq            uint64 `json:"seq"`
}

// Report is the payload of a message_delivered.
type Report struct {
	ConversationID string   `json:"conversationId"`
	MessageID      string   `json:"messageId"`
	Seq            uint64   `json:"seq"`
	Expected       int      `json:"expected"`
	Delivered      int      `json:"delivered"`
	Pending        []string `json:"pending"`
	Status         string   `json:"status"`
	Timestamp      string   `json:"timestamp"`
}
