// Package conformance runs the official clients against two servers that must behave alike: the reference server and
// Parley. The assertions are the same for both. A case that fails on the reference server is a mistake of the suite.
// See README.md.
package conformance
