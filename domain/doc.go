// Package domain holds the rules of a chat: who may be where, what a message is, when a user
// counts as present. It is plain Go over values: no context, no goroutine, no clock (callers
// pass the time in) and no encoding. Nothing here is safe for concurrent use unless it says so;
// the stores and use cases that hold these values own the locks.
package domain
