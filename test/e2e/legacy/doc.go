// Package legacy holds the official clients of Socket.IO 1.x and 2.x against a running Parley with
// LEGACY_CLIENTS on. The tests themselves are in ../js-legacy, because the clients are.
package legacy
