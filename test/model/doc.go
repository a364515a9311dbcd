// Package model judges a run of the chat by the logs of all clients that took part: whether each of them got what it was
// promised, and nothing else. It knows the wire contract but nothing of the server, so it can judge the logs of any
// clients with any server. [Check] is where to begin.
package model
