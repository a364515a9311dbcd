package wire_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/wire"
)

// serverFrame builds an unmasked frame.
func serverFrame(head byte, payload []byte) []byte {
	b := []byte{head}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}

// unmask reads a client frame by the letter of RFC 6455, section 5.3.
func unmask(t *testing.T, b []byte) (head byte, payload []byte) {
	t.Helper()
	require.NotZero(t, b[1]&0x80, "the mask bit must be set")
	n, at := int(b[1]&0x7F), 2
	switch n {
	case 126:
		n, at = int(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		n, at = int(binary.BigEndian.Uint64(b[2:])), 10
	}
	key := b[at : at+4]
	payload = bytes.Clone(b[at+4:])
	require.Len(t, payload, n)
	for i := range payload {
		payload[i] ^= key[i%4]
	}
	return b[0], payload
}

func TestCut(t *testing.T) {
	for name, size := range map[string]int{
		"an empty payload":               0,
		"the longest 7-bit length":       125,
		"the shortest 16-bit length":     126,
		"the longest 16-bit length":      0xFFFF,
		"the shortest 64-bit length":     0x10000,
		"a length within the 64-bit one": 300_000,
	} {
		t.Run(name+" is cut whole, and not before it is whole", func(t *testing.T) {
			payload := bytes.Repeat([]byte("p"), size)
			b := serverFrame(0x81, payload)
			for _, short := range []int{0, 1, 2, 3, 5, 9, len(b) / 2, len(b) - 1} {
				if short >= len(b) {
					continue
				}
				_, n, err := wire.Cut(b[:short])
				require.NoError(t, err)
				assert.Zero(t, n, "%d of %d bytes", short, len(b))
			}
			f, n, err := wire.Cut(append(b, "next"...))
			require.NoError(t, err)
			assert.Equal(t, len(b), n)
			assert.Equal(t, wire.OpText, f.Op)
			assert.True(t, f.Fin)
			assert.Equal(t, payload, append([]byte{}, f.Payload...))
		})
	}

	for name, c := range map[string]struct {
		bytes []byte
		want  error
	}{
		"a masked frame":                {[]byte{0x81, 0x80, 0, 0, 0, 0}, wire.ErrMaskedFrame},
		"a compressed frame":            {[]byte{0xC1, 0x00}, wire.ErrReservedBits},
		"a frame of 16 MiB and a byte":  {[]byte{0x82, 127, 0, 0, 0, 0, 1, 0, 0, 1}, wire.ErrFrameTooLarge},
		"a frame of 2^63 bytes or more": {[]byte{0x82, 127, 0xFF, 0, 0, 0, 0, 0, 0, 0}, wire.ErrFrameTooLarge},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			_, n, err := wire.Cut(c.bytes)
			require.ErrorIs(t, err, c.want)
			assert.Zero(t, n)
		})
	}
}

func TestAppendMasked(t *testing.T) {
	for _, size := range []int{0, 1, 7, 8, 9, 125, 126, 0xFFFF, 0x10000} {
		payload := bytes.Repeat([]byte("äb"), size)[:size]
		frame := wire.AppendMasked([]byte("kept"), wire.OpText, 0xA1B2C3D4, payload)
		require.Equal(t, "kept", string(frame[:4]))
		head, got := unmask(t, frame[4:])
		assert.Equal(t, byte(0x81), head)
		assert.True(t, bytes.Equal(payload, got), "%d bytes", size)
	}
}

func FuzzCut(f *testing.F) {
	f.Add([]byte{0x81, 0x02, '4', '2'})
	f.Add([]byte{0x81, 126, 0, 1, 'x'})
	f.Add([]byte{0x82, 127, 0, 0, 0, 0, 0, 0, 0, 1, 'x'})
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, n, err := wire.Cut(b)
		if err != nil || n == 0 {
			assert.Zero(t, n)
			assert.Nil(t, frame.Payload)
			return
		}
		require.LessOrEqual(t, n, len(b))
		assert.Equal(t, b[n-len(frame.Payload):n], frame.Payload, "the payload ends the frame")
		_, again, err := wire.Cut(b[:n])
		require.NoError(t, err)
		assert.Equal(t, n, again, "what follows does not matter")
		_, short, err := wire.Cut(b[:n-1])
		require.NoError(t, err)
		assert.Zero(t, short, "a byte less is not a frame")
	})
}
