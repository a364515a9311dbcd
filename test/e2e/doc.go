// Package e2e holds the tests of Parley as a whole: the production graph on the loopback, talked to by the official
// socket.io-client (js), by a real browser (../browser), and by raw clients that break the protocol. Nothing is
// replaced by a double. Where many act at random, all write down what happens to them, and ../model judges the logs:
// `-model.seed` chooses what they do. They need Node.js with npm, and Chromium for the browser's.
package e2e
