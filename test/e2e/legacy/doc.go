// Package legacy runs the official clients of Socket.IO 1.x and 2.x against Parley with LEGACY_CLIENTS on. The tests
// themselves are JavaScript, like the clients, and are in ../js-legacy.
package legacy
