// Package e2e tests Parley as a whole: the production graph on a loopback port, used by the official socket.io-client
// (js), by a real browser (../browser), and by raw clients that break the protocol. No part is replaced by a test double.
//
// In the random tests every client keeps a log of what happened to it, and package model (../model) judges these logs;
// the flag -model.seed repeats a run's choices. The tests need Node.js with npm, and Chromium for those in a browser.
package e2e
