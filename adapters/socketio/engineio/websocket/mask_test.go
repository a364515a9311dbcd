package websocket_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio/websocket"
)

func TestUnmask(t *testing.T) {
	const key = 0x3d21fa37 // the key of RFC 6455 §5.7, little-endian
	for offset := range 8 {
		for length := range 150 {
			backing := make([]byte, offset+length+1)
			plain := backing[offset : offset+length]
			for i := range plain {
				plain[i] = byte(i*7 + 1)
			}
			want := append([]byte{}, plain...)
			for i := range want {
				want[i] ^= mask[i%4]
			}
			next := websocket.Unmask(plain, key)
			require.Equal(t, want, plain, "%d bytes at %d", length, offset)
			require.Equal(t, mask[length%4], byte(next), "the key is turned by %d bytes", length)
			require.Zero(t, backing[len(backing)-1], "the byte behind is not touched")
		}
	}
}
