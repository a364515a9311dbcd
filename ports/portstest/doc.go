// Package portstest holds the contract of each outbound port as a test suite: one subtest for each
// sentence of the port's comments. An adapter runs it in one line, with a function that returns a
// new, empty store:
//
//	func TestRooms(t *testing.T) {
//		portstest.TestRoomStore(t, func(*testing.T) ports.RoomStore { return memory.NewRooms() })
//	}
//
// The suites pass the times in and wait for nothing, so they serve a store behind a network as well.
package portstest
