// Package pace decides when things happen: the open schedule of sends, whose times do not depend
// on how the server keeps up, and the search for the highest rate that still holds.
package pace
