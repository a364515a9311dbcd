// Package application is what the chat does: it decides who may do what, in which order things
// happen and who is told. It knows neither transport nor storage, only the ports.
//
// # Order
//
// Everything that a conversation's sessions hear of it, and every change of who they are, happens
// under that conversation's lock (see locks). So each session's queue holds the messages in the
// order of seq, and a session that joins knows exactly which message is the first it will hear.
//
// Locks are taken in this order: conversation; then deliveries, streams or typists, one of them; then
// session or registry; then timers. No two conversations are ever locked at once.
//
// # Goroutines
//
// Chat starts none, but for timers: of users who dropped and may come back, of typing that goes stale, of
// deliveries that are to be confirmed, and of messages that are being written. Close stops them and waits
// for those that run.
package application
