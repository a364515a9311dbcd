package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/wire"
)

// read feeds a stream from r, in reads of at most chunk bytes through a buffer of size bytes, and returns the messages.
func read(t *testing.T, r io.Reader, size int, chunk func() int) (messages []string) {
	t.Helper()
	var s wire.Stream
	buf := make([]byte, size)
	for {
		head := s.Load(buf)
		n, err := r.Read(buf[head:min(size, head+chunk())])
		if errors.Is(err, io.EOF) {
			return messages
		}
		require.NoError(t, err)
		rest := s.Join(buf, head, n)
		for {
			f, used, err := wire.Cut(rest)
			require.NoError(t, err)
			if used == 0 {
				break
			}
			rest = rest[used:]
			_, payload, whole, err := s.Whole(f)
			require.NoError(t, err)
			if whole {
				messages = append(messages, string(payload))
			}
		}
		s.Keep(rest)
	}
}

func TestStream(t *testing.T) {
	var wireBytes []byte
	var want []string
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		size := random.IntN(300)
		if i%50 == 7 {
			size = 10_000 // longer than the read buffers below
		}
		payload := bytes.Repeat([]byte{byte('a' + i%26)}, size)
		want = append(want, string(payload))
		if i%9 == 3 && size > 2 { // in three fragments
			wireBytes = append(wireBytes, serverFrame(0x01, payload[:1])...)
			wireBytes = append(wireBytes, serverFrame(0x00, payload[1:2])...)
			wireBytes = append(wireBytes, serverFrame(0x80, payload[2:])...)
			continue
		}
		wireBytes = append(wireBytes, serverFrame(0x81, payload)...)
	}
	for _, size := range []int{64, 1000, 4096, 1 << 20} {
		t.Run(fmt.Sprintf("messages come out as they went in, through a buffer of %d bytes", size), func(t *testing.T) {
			got := read(t, bytes.NewReader(wireBytes), size, func() int { return 1 + random.IntN(5000) })
			require.Len(t, got, len(want))
			assert.Equal(t, want, got)
		})
	}
}

func TestStream_Whole(t *testing.T) {
	t.Run("a continuation of nothing is refused", func(t *testing.T) {
		var s wire.Stream
		_, _, _, err := s.Whole(wire.Frame{Op: wire.OpContinuation, Fin: true})
		assert.ErrorIs(t, err, wire.ErrFragments)
	})
	t.Run("a new message inside an open one is refused", func(t *testing.T) {
		var s wire.Stream
		_, _, _, err := s.Whole(wire.Frame{Op: wire.OpText, Payload: []byte("a")})
		require.NoError(t, err)
		_, _, _, err = s.Whole(wire.Frame{Op: wire.OpText, Fin: true})
		assert.ErrorIs(t, err, wire.ErrFragments)
	})
	t.Run("fragments beyond the limit are refused", func(t *testing.T) {
		var s wire.Stream
		half := make([]byte, wire.MaxFrame/2+1)
		_, _, _, err := s.Whole(wire.Frame{Op: wire.OpText, Payload: half})
		require.NoError(t, err)
		_, _, _, err = s.Whole(wire.Frame{Op: wire.OpContinuation, Payload: half})
		assert.ErrorIs(t, err, wire.ErrFrameTooLarge)
	})
}

func FuzzStream(f *testing.F) {
	f.Add(serverFrame(0x81, []byte("hello")), uint8(3))
	f.Add(append(serverFrame(0x01, []byte("he")), serverFrame(0x80, []byte("llo"))...), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, chunk uint8) {
		whole := messagesOf(b, len(b)+1)
		pieces := messagesOf(b, int(chunk)+1)
		assert.Equal(t, whole, pieces, "how the bytes are split must not matter")
	})
}

// messagesOf returns the messages in b, which it reads in chunks, up to the first error.
func messagesOf(b []byte, chunk int) (messages []string) {
	var s wire.Stream
	buf := make([]byte, len(b)*2+2)
	for len(b) > 0 {
		head := s.Load(buf)
		n := copy(buf[head:], b[:min(chunk, len(b))])
		b = b[n:]
		rest := s.Join(buf, head, n)
		for {
			f, used, err := wire.Cut(rest)
			if err != nil {
				return messages
			}
			if used == 0 {
				break
			}
			rest = rest[used:]
			_, payload, done, err := s.Whole(f)
			if err != nil {
				return messages
			}
			if done {
				messages = append(messages, string(payload))
			}
		}
		s.Keep(rest)
	}
	return messages
}
