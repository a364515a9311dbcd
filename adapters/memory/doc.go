// Package memory keeps rooms and messages in the memory of one process: the default, and what the
// contract of the ports is tried on first. Nothing blocks, and nothing fails but for a log that is
// full; so contexts are not looked at, and a call that has begun is done whole.
package memory
