// Package tally counts what arrived: per receiver which sequence numbers were lost, doubled or
// out of order, and over all receivers how long messages took.
package tally
