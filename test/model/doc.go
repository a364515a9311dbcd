// Package model judges a run of the chat by the logs of all who took part: whether everyone got what they were
// promised, and nothing else. It knows the wire contract and nothing of the server, so that it can judge any clients'
// logs of any server.
package model
