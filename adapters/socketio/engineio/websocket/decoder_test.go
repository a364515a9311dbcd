package websocket_test

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio/websocket"
)

// limit is the MaxMessage of the tables below.
const limit = 70_000

func TestDecoder_Accepts(t *testing.T) {
	long16, long64 := strings.Repeat("m", 300), strings.Repeat("L", 65_536)
	for _, c := range []struct {
		name string
		wire []byte
		want []string
	}{
		{"the masked text of RFC 6455 §5.7", unhex(t, "8185 37fa213d 7f9f4d5158"), []string{"text Hello"}},
		{"an empty message", text(""), []string{"text "}},
		{"an empty frame before a full one", join(text(""), text("x")), []string{"text ", "text x"}},
		{"a binary message that is not UTF-8", clientFrame(0x82, "\xff\x00\xfe"), []string{"binary \xff\x00\xfe"}},
		{
			"messages of 125, 126 and 127 bytes", join(text(long16[:125]), text(long16[:126]), text(long16[:127])),
			[]string{"text " + long16[:125], "text " + long16[:126], "text " + long16[:127]},
		},
		{"messages of 65,535 and 65,536 bytes", join(text(long64[:65_535]), text(long64)), []string{"text " + long64[:65_535], "text " + long64}},
		{"a message of exactly the limit", text(strings.Repeat("x", limit)), []string{"text " + strings.Repeat("x", limit)}},
		{"the fragmented text of RFC 6455 §5.7", join(clientFrame(0x01, "Hel"), clientFrame(0x80, "lo")), []string{"text Hello"}},
		{
			"empty fragments around one that is not", join(clientFrame(0x01, ""), clientFrame(0x00, "x"), clientFrame(0x00, ""), clientFrame(0x80, "")),
			[]string{"text x"},
		},
		{"fragments that are all empty", join(clientFrame(0x02, ""), clientFrame(0x80, "")), []string{"binary "}},
		{"a rune cut between fragments", join(clientFrame(0x01, "\xe2\x82"), clientFrame(0x80, "\xac")), []string{"text €"}},
		{
			"control frames between fragments",
			join(clientFrame(0x01, "one "), clientFrame(0x89, "p1"), clientFrame(0x00, "two "), clientFrame(0x8A, ""), clientFrame(0x89, "p2"), clientFrame(0x80, "three")),
			[]string{"ping p1", "pong ", "ping p2", "text one two three"},
		},
		{
			"fragments that make up exactly the limit", join(clientFrame(0x02, strings.Repeat("a", limit-1)), clientFrame(0x80, "b")),
			[]string{"binary " + strings.Repeat("a", limit-1) + "b"},
		},
		{
			"a ping when the limit is used up", join(clientFrame(0x02, strings.Repeat("a", limit)), clientFrame(0x89, "ping"), clientFrame(0x80, "")),
			[]string{"ping ping", "binary " + strings.Repeat("a", limit)},
		},
		{"a ping of 125 bytes", clientFrame(0x89, long16[:125]), []string{"ping " + long16[:125]}},
		{"a close without a body, and nothing after it", join(clientFrame(0x88, ""), text("late"), []byte{0xFF, 0xFF}), []string{"close "}},
		{"a close with code and reason", clientFrame(0x88, "\x0f\xa0done"), []string{"close \x0f\xa0done"}},
		{"a close in the middle of a message", join(clientFrame(0x01, "half"), clientFrame(0x88, "\x03\xe8")), []string{"close \x03\xe8"}},
	} {
		t.Run("the decoder accepts "+c.name, func(t *testing.T) {
			for _, piece := range pieces(c.wire) {
				d := &websocket.Decoder{MaxMessage: limit}
				got, err := feed(d, c.wire, piece)
				require.NoError(t, err, "in pieces of %d", piece)
				require.Equal(t, c.want, got, "in pieces of %d", piece)
				require.Zero(t, d.Held(), "in pieces of %d", piece)
			}
		})
	}
}

func TestDecoder_Refuses(t *testing.T) {
	// A text message in front proves that what came before is still delivered; it is also the complete message that a
	// continuation cannot continue.
	for _, c := range []struct {
		name string
		wire []byte
		code string
	}{
		{"RSV1", clientFrame(0xC1, "x"), "1002"},
		{"RSV2 (CVE-2022-21676)", clientFrame(0xA1, "x"), "1002"},
		{"RSV3", clientFrame(0x91, "x"), "1002"},
		{"RSV1 on a ping", clientFrame(0xC9, ""), "1002"},
		{"opcode 3", clientFrame(0x83, ""), "1002"},
		{"opcode 7", clientFrame(0x87, ""), "1002"},
		{"opcode 11", clientFrame(0x8B, ""), "1002"},
		{"opcode 15", clientFrame(0x8F, ""), "1002"},
		{"an unmasked frame", unhex(t, "810548656c6c6f"), "1002"},
		{"an unmasked close", unhex(t, "8800"), "1002"},
		{"a fragmented ping", clientFrame(0x09, "x"), "1002"},
		{"a fragmented close", clientFrame(0x08, ""), "1002"},
		{"a ping of 126 bytes", clientFrame(0x89, strings.Repeat("x", 126)), "1002"},
		{"a pong with a 64-bit length", unhex(t, "8aff"), "1002"},
		{"a continuation of nothing", clientFrame(0x80, "x"), "1002"},
		{"a text inside a fragmented text", join(clientFrame(0x01, "a"), text("b")), "1002"},
		{"a binary inside a message that is empty so far", join(clientFrame(0x01, ""), clientFrame(0x82, "")), "1002"},
		{"a close body of one byte", clientFrame(0x88, "\x03"), "1002"},
		{"close code 999", clientFrame(0x88, "\x03\xe7"), "1002"},
		{"close code 1005", clientFrame(0x88, "\x03\xed"), "1002"},
		{"close code 5000", clientFrame(0x88, "\x13\x88"), "1002"},
		{"a length of 125 in 16 bits", unhex(t, "81fe007d 37fa213d"), "1002"},
		{"a length of 0 in 16 bits", unhex(t, "81fe0000 37fa213d"), "1002"},
		{"a length of 65,535 in 64 bits", unhex(t, "81ff000000000000ffff 37fa213d"), "1002"},
		{"a 64-bit length of all ones (CVE-2020-27813)", unhex(t, "82ffffffffffffffffff 37fa213d"), "1002"},
		{"a 64-bit length of all ones, unmasked", unhex(t, "827fffffffffffffffff"), "1002"},
		{"a 64-bit length of the top bit alone", unhex(t, "82ff8000000000000000 37fa213d"), "1002"},
		{"text that is not UTF-8", text("a\xff"), "1007"},
		{"text with a surrogate", text("\xed\xa0\x80"), "1007"},
		{"text that ends inside a rune", text("\xe2\x82"), "1007"},
		{"fragmented text that is not UTF-8", join(clientFrame(0x01, "\xe2"), clientFrame(0x80, "x")), "1007"},
		{"a close reason that is not UTF-8", clientFrame(0x88, "\x03\xe8\xff"), "1007"},
		{"the largest 63-bit length (CVE-2020-27813)", unhex(t, "82ff7fffffffffffffff 37fa213d"), "1009"},
		{"a frame announced one byte over the limit", unhex(t, "82ff0000000000011171 37fa213d"), "1009"},
		{"a fragment announced as longer than the limit leaves room for", join(clientFrame(0x02, "12345"), unhex(t, "80ff000000000001116c 37fa213d")), "1009"},
		{"a last fragment one byte over the limit", join(clientFrame(0x02, strings.Repeat("a", limit)), clientFrame(0x80, "b")[:6]), "1009"},
		{"a message of 1,025 fragments and more", join(clientFrame(0x01, ""), []byte(strings.Repeat(string(clientFrame(0x00, "")), 1024))), "1008"},
		{"a message of 1,025 fragments", join(clientFrame(0x01, "a"), []byte(strings.Repeat(string(clientFrame(0x00, "b")), 1023)), clientFrame(0x80, "")), "1008"},
	} {
		t.Run(c.name+" is refused with "+c.code, func(t *testing.T) {
			wire := join(text("before"), c.wire)
			for _, piece := range pieces(wire) {
				d := &websocket.Decoder{MaxMessage: limit}
				got, err := feed(d, wire, piece)
				require.Equal(t, c.code, closeCode(err), "in pieces of %d", piece)
				require.Equal(t, []string{"text before"}, got)
				require.Zero(t, d.Held(), "in pieces of %d", piece)

				again := &transcript{}
				require.Same(t, err, d.Feed(text("after"), again), "the error stays")
				require.Empty(t, again.events)
			}
		})
	}
}

// pieces returns the piece sizes to cut wire into, 0 for no cut: every size, for a short wire.
func pieces(wire []byte) []int {
	sizes := []int{0, 1, 2, 3, 5, 7, 13, 64, 512, 4096}
	if len(wire) < 512 {
		for n := 8; n < len(wire); n++ {
			sizes = append(sizes, n)
		}
	}
	return sizes
}

func TestDecoder_FragmentLimit(t *testing.T) {
	wire := join(clientFrame(0x01, "a"), []byte(strings.Repeat(string(clientFrame(0x00, "b")), 1022)), clientFrame(0x80, "c"))
	d := &websocket.Decoder{}
	for range 3 {
		got, err := feed(d, wire, 0)
		require.NoError(t, err, "1,024 fragments are allowed, for every message anew")
		require.Equal(t, []string{"text a" + strings.Repeat("b", 1022) + "c"}, got)
	}
}

func TestDecoder_EverySplit(t *testing.T) {
	wire := join(text("one"), clientFrame(0x01, "tw"), clientFrame(0x89, "ping"), clientFrame(0x80, "o"),
		clientFrame(0x82, strings.Repeat("3", 130)), clientFrame(0x88, "\x03\xe8ok"))
	want := []string{"text one", "ping ping", "text two", "binary " + strings.Repeat("3", 130), "close \x03\xe8ok"}
	for first := range wire {
		for second := first; second < len(wire); second++ {
			tr, d, p := &transcript{}, &websocket.Decoder{}, append([]byte(nil), wire...)
			require.NoError(t, d.Feed(p[:first], tr))
			require.NoError(t, d.Feed(p[first:second], tr))
			require.NoError(t, d.Feed(p[second:], tr))
			require.Equal(t, want, tr.events, "cut at %d and %d", first, second)
		}
	}
}

func TestDecoder_HandlerError(t *testing.T) {
	for _, stop := range []string{"text b", "ping b"} {
		t.Run("an error of the handler at "+stop+" ends decoding and is returned unchanged", func(t *testing.T) {
			wire := join(text("a"), clientFrame(0x89, "a"), text("b"), clientFrame(0x89, "b"), text("c"))
			for _, piece := range pieces(wire) {
				tr, d := &transcript{failOn: stop}, &websocket.Decoder{}
				require.Equal(t, errHandler, feedTo(tr, d, wire, piece))
				require.Equal(t, stop, tr.events[len(tr.events)-1])
				require.Equal(t, errHandler, d.Feed(text("more"), tr))
				require.Equal(t, stop, tr.events[len(tr.events)-1])
			}
		})
	}
}

func TestDecoder_Memory(t *testing.T) {
	t.Run("an idle decoder is small", func(t *testing.T) {
		assert.LessOrEqual(t, unsafe.Sizeof(websocket.Decoder{}), uintptr(100))
	})

	t.Run("the default limit holds when none is set", func(t *testing.T) {
		d := &websocket.Decoder{}
		_, err := feed(d, unhex(t, "82ff00000000000f4241 00000000"), 0)
		assert.Equal(t, "1009", closeCode(err))
		d = &websocket.Decoder{}
		_, err = feed(d, unhex(t, "82ff00000000000f4240 00000000"), 0)
		assert.NoError(t, err)
	})

	t.Run("memory follows what was received and not what was announced", func(t *testing.T) {
		d := &websocket.Decoder{MaxMessage: 1 << 40}
		_, err := feed(d, unhex(t, "82ff000000ffffffffff 00000000"), 0)
		require.NoError(t, err)
		require.Zero(t, d.Held())
		for received := 1; received <= 100_000; received += 37 {
			require.NoError(t, d.Feed(make([]byte, 37), &transcript{}))
			require.LessOrEqual(t, d.Held(), 2*received+128)
		}
		assert.Equal(t, 37*2703, d.Buffered())
	})

	t.Run("a control frame in pieces leaves no memory behind", func(t *testing.T) {
		d, ping := &websocket.Decoder{}, clientFrame(0x89, "0123456789")
		_, err := feed(d, ping, 4)
		require.NoError(t, err)
		assert.Zero(t, d.Held())
	})

	t.Run("an append by the handler does not reach the next frame", func(t *testing.T) {
		d, h := &websocket.Decoder{}, &appender{}
		require.NoError(t, d.Feed(join(text("a"), text("b")), h))
		assert.Equal(t, []string{"a", "b"}, h.got)
	})

	t.Run("a whole frame is passed without a copy and without an allocation", func(t *testing.T) {
		d, h := &websocket.Decoder{}, &where{}
		wire := join(text(strings.Repeat("x", 200)), clientFrame(0x89, "ping"), clientFrame(0x82, strings.Repeat("y", 1000)))
		p := make([]byte, len(wire))
		allocs := testing.AllocsPerRun(100, func() {
			copy(p, wire)
			if err := d.Feed(p, h); err != nil {
				panic(err)
			}
		})
		assert.Zero(t, allocs)
		assert.Equal(t, 303, h.calls, "AllocsPerRun runs once more to warm up")
		assert.Same(t, &p[len(p)-1], h.last)
	})

	t.Run("a header in pieces needs no allocation", func(t *testing.T) {
		d, h := &websocket.Decoder{}, &where{}
		wire := text("hello")
		p := make([]byte, len(wire))
		allocs := testing.AllocsPerRun(100, func() {
			copy(p, wire)
			for i := range 6 {
				_ = d.Feed(p[i:i+1], h)
			}
			_ = d.Feed(p[6:], h)
		})
		assert.Zero(t, allocs)
		assert.Equal(t, 101, h.calls)
	})

	t.Run("a flood of bad frames makes no garbage", func(t *testing.T) {
		bad, h := clientFrame(0xF1, "x"), &where{}
		var d websocket.Decoder
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			d = websocket.Decoder{}
			_ = d.Feed(bad, h)
		}))
		_, err := feed(&websocket.Decoder{}, bad, 0)
		assert.Equal(t, "1002", closeCode(err))
	})
}

// where records the address of the last byte delivered.
type where struct {
	last  *byte
	calls int
}

func (w *where) Message(_ websocket.Opcode, data []byte) error {
	w.last, w.calls = &data[len(data)-1], w.calls+1
	return nil
}

func (w *where) Control(op websocket.Opcode, data []byte) error { return w.Message(op, data) }

// appender appends to its data, as a careless handler might.
type appender struct{ got []string }

func (a *appender) Message(_ websocket.Opcode, data []byte) error {
	a.got = append(a.got, string(data))
	_ = append(data, "!!"...)
	return nil
}

func (a *appender) Control(websocket.Opcode, []byte) error { return nil }
