//go:build !unix

package engineio

import "errors"

// Without a descriptor to write to directly, outboxes are flushed by ordinary writes.
const canRawIO = false

func writeNonBlocking(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }
func readNonBlocking(uintptr, []byte) (int, error)  { return 0, errors.ErrUnsupported }
