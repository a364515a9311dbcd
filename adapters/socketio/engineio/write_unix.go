//go:build unix

package engineio

import (
	"errors"
	"io"
	"syscall"
)

// writeNonBlocking calls write(2) on a non-blocking descriptor, past interrupts. n may be short;
// EAGAIN means that the socket's buffer is full.
func writeNonBlocking(fd uintptr, p []byte) (n int, err error) {
	for {
		n, err = syscall.Write(int(fd), p)
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}

// readNonBlocking calls read(2) on a non-blocking descriptor, past interrupts. The end of the stream
// is io.EOF; EAGAIN means that nothing has come.
func readNonBlocking(fd uintptr, p []byte) (n int, err error) {
	for {
		n, err = syscall.Read(int(fd), p)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if n == 0 && err == nil {
			return 0, io.EOF
		}
		return n, err
	}
}

const canRawIO = true
