// Package conformance holds the official clients against two servers that are to be alike: the reference server and
// Parley. The assertions are the same for both, and the reference server is the oracle: what it does not pass is a
// mistake of the suite. See README.md.
package conformance
