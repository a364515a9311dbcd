package websocket_test

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio/websocket"
	"parley/test/cost"
)

// deflated compresses a message as a client does that keeps no context between messages (RFC 7692 §7.2.1).
func deflated(t testing.TB, payload string) string {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	require.NoError(t, err)
	_, err = io.WriteString(w, payload)
	require.NoError(t, err)
	require.NoError(t, w.Flush())
	return strings.TrimSuffix(out.String(), "\x00\x00\xff\xff")
}

// The examples of RFC 7692 §7.2.3.
const (
	deflatedHello   = "\xf2\x48\xcd\xc9\xc9\x07\x00"
	secondHello     = "\xf2\x00\x11\x00\x00" // refers back to the first message
	storedHello     = "\x00\x05\x00\xfa\xffHello\x00"
	finalHello      = "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"
	twoBlocksHello  = "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"
	compressedText  = 0xC1
	compressedStart = 0x41
)

func TestDecoder_Inflates(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", limit/16) + strings.Repeat("x", limit%16)
	random := make([]byte, limit)
	_, _ = rand.Read(random)
	for _, c := range []struct {
		name string
		wire []byte
		want []string
	}{
		{"a message of one block", clientFrame(compressedText, deflatedHello), []string{"text Hello"}},
		{"a message in fragments", join(clientFrame(compressedStart, deflatedHello[:3]), clientFrame(0x80, deflatedHello[3:])), []string{"text Hello"}},
		{"a stored block", clientFrame(compressedText, storedHello), []string{"text Hello"}},
		{"a block marked as final", clientFrame(compressedText, finalHello), []string{"text Hello"}},
		{"a block marked as final, without the empty block after it", clientFrame(compressedText, finalHello[:7]), []string{"text Hello"}},
		{"a message of two blocks", clientFrame(compressedText, twoBlocksHello), []string{"text Hello"}},
		{"a block that refers to the final one before it", clientFrame(compressedText, finalHello[:7]+secondHello), []string{"text HelloHello"}},
		{"an empty message", clientFrame(compressedText, "\x00"), []string{"text "}},
		{"a binary message that is not UTF-8", clientFrame(0xC2, deflated(t, "\xff\xfe")), []string{"binary \xff\xfe"}},
		{
			"compressed messages with a plain one between them", join(clientFrame(compressedText, deflatedHello), text("plain"), clientFrame(compressedText, deflatedHello)),
			[]string{"text Hello", "text plain", "text Hello"},
		},
		{
			"a message with control frames between its fragments",
			join(clientFrame(compressedStart, deflatedHello[:3]), clientFrame(0x89, "p"), clientFrame(0x00, ""), clientFrame(0x8A, ""), clientFrame(0x80, deflatedHello[3:])),
			[]string{"ping p", "pong ", "text Hello"},
		},
		{"a message of exactly the limit", clientFrame(compressedText, deflated(t, long)), []string{"text " + long}},
		{"an incompressible message of exactly the limit", clientFrame(0xC2, deflated(t, string(random))), []string{"binary " + string(random)}},
	} {
		t.Run("the decoder inflates "+c.name, func(t *testing.T) {
			for _, piece := range []int{0, 1, 2, 7, 64, 4096} {
				d := &websocket.Decoder{MaxMessage: limit, Deflate: true}
				got, err := feed(d, c.wire, piece)
				require.NoError(t, err, "in pieces of %d", piece)
				require.Equal(t, c.want, got, "in pieces of %d", piece)
				require.Zero(t, d.Held(), "in pieces of %d", piece)
			}
		})
	}
}

func TestDecoder_RefusesCompressed(t *testing.T) {
	bomb := deflated(t, strings.Repeat("\x00", 4<<20)) // about 4 KB
	for _, c := range []struct {
		name string
		wire []byte
		code string
	}{
		{"RSV1 on a ping", clientFrame(0xC9, ""), "1002"},
		{"RSV1 on a close", clientFrame(0xC8, ""), "1002"},
		{"RSV1 on a continuation", join(clientFrame(compressedStart, deflatedHello[:3]), clientFrame(0xC0, deflatedHello[3:])), "1002"},
		{"RSV1 on the continuation of a plain message", join(clientFrame(0x01, "a"), clientFrame(0xC0, "")), "1002"},
		{"RSV1 with RSV2", clientFrame(0xE1, deflatedHello), "1002"},
		{"RSV1 with RSV3", clientFrame(0xD1, deflatedHello), "1002"},
		{"RSV2 alone", clientFrame(0xA1, deflatedHello), "1002"},
		{"a reference to the previous message", join(clientFrame(compressedText, deflatedHello), clientFrame(compressedText, secondHello)), "1007"},
		{"a message without a block, where RFC 7692 §7.2.3.6 asks for one,", clientFrame(compressedText, ""), "1007"},
		{"a block of the reserved type", clientFrame(compressedText, "\x06"), "1007"},
		{"a stored block with a wrong length", clientFrame(compressedText, "\x00\x05\x00\x00\x00Hello\x00"), "1007"},
		{"a message that ends inside a block", clientFrame(compressedText, deflated(t, strings.Repeat("abc, it's easy. ", 9))[:12]), "1007"},
		{"a message of more final blocks than anyone needs", clientFrame(compressedText, strings.Repeat("\x03\x00", 18)), "1007"},
		{"text that is not UTF-8", clientFrame(compressedText, deflated(t, "a\xff")), "1007"},
		{"a message that inflates to one byte more than the limit", clientFrame(0xC2, deflated(t, strings.Repeat("x", limit+1))), "1009"},
		{"a decompression bomb", clientFrame(0xC2, bomb), "1009"},
		{"a decompression bomb in fragments", join(clientFrame(0x42, bomb[:2000]), clientFrame(0x80, bomb[2000:])), "1009"},
		{"a length announced far beyond the limit", unhex(t, "c2ff0000000000020000 37fa213d"), "1009"},
	} {
		t.Run(c.name+" is refused with "+c.code, func(t *testing.T) {
			for _, piece := range []int{0, 1, 2, 7, 64, 4096} {
				d := &websocket.Decoder{MaxMessage: limit, Deflate: true}
				_, err := feed(d, c.wire, piece)
				require.Equal(t, c.code, closeCode(err), "in pieces of %d", piece)
				require.Zero(t, d.Held(), "in pieces of %d", piece)
			}
		})
	}

	t.Run("RSV1 is a reserved bit unless compression was agreed", func(t *testing.T) {
		_, err := feed(&websocket.Decoder{}, clientFrame(compressedText, deflatedHello), 0)
		assert.Equal(t, "1002", closeCode(err))
	})

	t.Run("a decompression bomb costs no more memory than the limit allows", func(t *testing.T) {
		wire := clientFrame(0xC2, bomb)
		cost.Bound(t, 3*limit+64<<10, func() {
			_, err := feed(&websocket.Decoder{MaxMessage: limit, Deflate: true}, wire, 0)
			assert.Equal(t, "1009", closeCode(err))
		})
	})
}

func TestAppendDeflated(t *testing.T) {
	t.Run("the frame is complete, marked as compressed, and without the end of the flush", func(t *testing.T) {
		payload := strings.Repeat("Hello", 20)
		frame, ok := websocket.AppendDeflated([]byte("before"), websocket.OpText, []byte(payload))
		require.True(t, ok)
		require.Equal(t, "before\xc1", string(frame[:7]))
		require.Len(t, frame, 8+int(frame[7]))
		assert.Less(t, len(frame), len(payload))
		assert.NotEqual(t, "\x00\x00\xff\xff", string(frame[len(frame)-4:]))
	})

	t.Run("a payload that does not get smaller is left alone", func(t *testing.T) {
		random := make([]byte, 5000)
		_, _ = rand.Read(random)
		for _, payload := range [][]byte{nil, []byte("a"), []byte("Hello"), random} {
			frame, ok := websocket.AppendDeflated([]byte("before"), websocket.OpBinary, payload)
			assert.False(t, ok)
			assert.Equal(t, "before", string(frame))
		}
	})

	t.Run("messages of all sizes can be inflated on their own", func(t *testing.T) {
		for _, size := range []int{100, 1024, 65_535, 65_536, 1 << 20} {
			payload := bytes.Repeat([]byte("some text, "), size/11+1)[:size]
			for range 2 {
				frame, ok := websocket.AppendDeflated(nil, websocket.OpText, payload)
				require.True(t, ok)
				got, err := feed(&websocket.Decoder{MaxMessage: size, Deflate: true}, masked(frame), 0)
				require.NoError(t, err)
				require.Equal(t, []string{"text " + string(payload)}, got)
			}
		}
	})
}

// masked turns a server's frame into a client's.
func masked(frame []byte) []byte {
	size := 2
	switch frame[1] {
	case 126:
		size = 4
	case 127:
		size = 10
	}
	return clientFrame(frame[0], string(frame[size:]))
}

// FuzzInflate feeds any bytes as a compressed message in two fragments, and then the same bytes properly compressed.
// The output is compared with the standard library's reader, and nothing may cost more than the limit allows.
func FuzzInflate(f *testing.F) {
	for _, seed := range []string{
		deflatedHello, secondHello, storedHello, finalHello, twoBlocksHello, finalHello + secondHello, "", "\x00", "\x06", "\x03\x00",
		strings.Repeat("\x03\x00", 20), "\x00\x05\x00\x00\x00Hello\x00", "\x00\xff\xff\x00\x00", deflated(f, strings.Repeat("\x00", 100_000)),
		deflated(f, strings.Repeat("abc, it's easy. ", 9))[:12], "\xed\xc1\x01\x01\x00\x00\x00\x80\x90\xfe\xaf\xee\x08\x0a", "\x01\x00\x00\xff\xff", "\x00\x00\x00\xff\xff",
	} {
		f.Add([]byte(seed), uint16(3))
	}
	f.Fuzz(func(t *testing.T, payload []byte, cut uint16) {
		const most = 2000
		at := min(int(cut), len(payload))
		wire := join(clientFrame(0x42, string(payload[:at])), clientFrame(0x80, string(payload[at:])))
		var got []string
		var err error
		// The payload is gathered in a buffer that grows twice; the output is also kept in the transcript.
		cost.Bound(t, 8*uint64(len(wire))+16*most+64<<10, func() {
			got, err = feed(&websocket.Decoder{MaxMessage: most, Deflate: true}, wire, 0)
		})
		if len(payload) > most+most>>8+64 {
			require.Equal(t, "1009", closeCode(err))
			return
		}
		want, ok := inflateAll(payload, most)
		switch {
		case err == nil && ok:
			require.Equal(t, []string{"binary " + want}, got)
		case ok:
			require.Equal(t, "1009", closeCode(err))
			require.Greater(t, len(want), most)
		default:
			// The plain reader stops at a block marked as final and knows nothing of those after it.
			require.Contains(t, []string{"<nil>", "1007", "1009"}, closeCode(err))
		}
		again, ok := websocket.AppendDeflated(nil, websocket.OpBinary, payload)
		if !ok || len(payload) > most {
			return
		}
		got, err = feed(&websocket.Decoder{MaxMessage: most, Deflate: true}, masked(again), 0)
		require.NoError(t, err)
		require.Equal(t, []string{"binary " + string(payload)}, got)
	})
}

// inflateAll decompresses a message with the standard library, up to one byte more than most. It returns false if the
// message is broken, or has blocks after one marked as final.
func inflateAll(payload []byte, most int64) (string, bool) {
	source := bytes.NewReader(append(bytes.Clone(payload), "\x00\x00\xff\xff\x01\x00\x00\xff\xff"...))
	out, err := io.ReadAll(io.LimitReader(flate.NewReader(source), most+1))
	return string(out), err == nil && (source.Len() < 10 || len(out) > int(most))
}
