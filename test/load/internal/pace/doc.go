// Package pace decides when messages are sent and how many: an open schedule, whose times do not depend on how well the
// server keeps up, and the search for the highest rate that the server still holds.
package pace
