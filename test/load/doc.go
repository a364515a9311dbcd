//go:build linux

// Command load is a load generator for Socket.IO chat servers that keep Parley's wire contract.
//
// It connects thousands of clients over WebSocket or polling, has some of them send on a fixed schedule, and accounts for
// every message that every client must get: whether it was lost, doubled or reordered, and how long after its due time it
// arrived. Given the server's process id, it also reports the server's CPU time per delivery and its memory. README.md in
// this folder says how to read the numbers.
//
//	load -url http://127.0.0.1:3000 -secret … -scenario room -clients 1000 -rate 40 -pid …
//	load -compare -peers parley,node,floor
package main
