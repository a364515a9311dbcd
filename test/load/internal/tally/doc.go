// Package tally counts what arrived: for each receiver, the sequence numbers that were lost, doubled or out of order, and
// over all receivers, how long messages took.
package tally
