//go:build linux

// Command load is a load generator for Socket.IO chat servers that keep Parley's wire contract.
//
// It connects thousands of clients over WebSocket or polling, lets some of them send on a fixed
// schedule, and accounts for every message every client should get: lost, doubled, reordered, and how long
// after its due time each arrived. With the server's process id it also reports the server's CPU
// time per delivery and its memory. See README.md beside this file for how to read the numbers.
//
//	load -url http://127.0.0.1:3000 -secret … -scenario room -clients 1000 -rate 40 -pid …
//	load -compare -peers parley,node,floor
package main
