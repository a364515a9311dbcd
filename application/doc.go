// Package application holds the use cases of the chat: it decides who may do what, in which order things
// happen and who is told. It knows neither transport nor storage, only the ports.
//
// # Order
//
// Every event is sent to a conversation's sessions, and every session enters or leaves, under that conversation's
// lock (see locks). So each session's queue holds the messages in the order of seq, and a session that joins knows
// exactly which message is the first that it will get live.
//
// Locks are taken in this order: conversation; then one of deliveries, streams, typists and reports; then registry;
// then session; then timers. Under the locks of unheard and strays no other is taken. No goroutine ever holds the
// locks of two conversations.
//
// # Goroutines
//
// Chat starts goroutines only for timers: for users who dropped and may come back, typing that goes stale,
// deliveries that wait for confirmation, reports that wait for their senders, and messages that are being written.
// Close stops the timers and waits for those that are running.
package application
