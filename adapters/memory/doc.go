// Package memory keeps rooms and messages in the memory of one process. It is the default. Nothing blocks, and
// nothing fails except an Append to a log that is full; so contexts are ignored, and a call is never left half done.
package memory
