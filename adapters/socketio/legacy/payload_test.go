package legacy

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/googollee/go-socket.io/engineio/frame"
	"github.com/googollee/go-socket.io/engineio/packet"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/cost"
)

// cutAll cuts a body as servePost does.
func cutAll(body string, binary bool) (packets []incoming, err error) {
	for rest := []byte(body); len(rest) > 0; {
		p, found, more, err := cutPacket(rest, binary)
		if err != nil {
			return packets, err
		}
		if found {
			packets = append(packets, p)
		}
		rest = more
	}
	return packets, nil
}

func text(kind packet.Type, data string) incoming {
	return incoming{form: frame.String, kind: kind, data: []byte(data)}
}

func binary(data ...byte) incoming {
	return incoming{form: frame.Binary, kind: packet.MESSAGE, data: append([]byte{}, data...)}
}

func TestCutPacket_text(t *testing.T) {
	good := map[string]struct {
		body string
		want []incoming
	}{
		"one packet":                        {"2:4a", []incoming{text(packet.MESSAGE, "a")}},
		"several packets":                   {"2:4a6:2probe1:1", []incoming{text(packet.MESSAGE, "a"), text(packet.PING, "probe"), text(packet.CLOSE, "")}},
		"an empty packet":                   {"0:2:4a", []incoming{text(packet.MESSAGE, "a")}},
		"a letter of two bytes is one":      {"2:4é2:4é", []incoming{text(packet.MESSAGE, "é"), text(packet.MESSAGE, "é")}},
		"a letter of three bytes is one":    {"2:4日2:4日", []incoming{text(packet.MESSAGE, "日"), text(packet.MESSAGE, "日")}},
		"an emoji is two":                   {"3:4😀3:4😀", []incoming{text(packet.MESSAGE, "😀"), text(packet.MESSAGE, "😀")}},
		"what stands for half an emoji":     {"2:4\ufffd2:4a", []incoming{text(packet.MESSAGE, "\ufffd"), text(packet.MESSAGE, "a")}},
		"digits and colons inside":          {"8:41:2:😀:1:1", []incoming{text(packet.MESSAGE, "1:2:😀:"), text(packet.CLOSE, "")}},
		"binary in base64":                  {"6:b4AQI=", []incoming{binary(1, 2)}},
		"binary in base64 without its end":  {"5:b4AQI", []incoming{binary(1, 2)}},
		"text encoded twice":                {"5:4Ã©Ã©", []incoming{text(packet.MESSAGE, "éé")}},
		"Latin-1 that is not encoded twice": {"5:4é©Ã©", []incoming{text(packet.MESSAGE, "é©Ã©")}},
		"other text with such letters":      {"4:4Ã©日", []incoming{text(packet.MESSAGE, "Ã©日")}},
	}
	for name, test := range good {
		t.Run("reads "+name, func(t *testing.T) {
			got, err := cutAll(test.body, false)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
	for name, body := range map[string]string{
		"no length": ":4a", "no colon": "2", "a length that is no number": "x:4a", "a negative length": "-1:4", "a hexadecimal length": "0x1:4",
		"more than there is": "3:4a", "half an emoji": "2:4😀", "not UTF-8": "3:4\xffa", "cut in a letter": "2:4\xc3",
		"a length beyond all bounds": strings.Repeat("9", 40) + ":4a", "space before it": " 2:4a", "binary without a type": "1:b", "an unknown type": "2:7a", "a type that is no digit": "2:😀", "bad base64": "4:b4!!",
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			got, err := cutAll("2:4a"+body, false)
			require.Error(t, err)
			assert.Equal(t, []incoming{text(packet.MESSAGE, "a")}, got)
		})
	}
}

func TestCutPacket_binary(t *testing.T) {
	good := map[string]struct {
		body string
		want []incoming
	}{
		"text, in bytes": {"\x00\x05\xff4😀\x00\x01\xff1", []incoming{text(packet.MESSAGE, "😀"), text(packet.CLOSE, "")}},
		"binary":         {"\x01\x03\xff\x04\x01\xff", []incoming{binary(1, 0xff)}},
		"a long packet":  {"\x00\x01\x02\xff4" + strings.Repeat("x", 11), []incoming{text(packet.MESSAGE, strings.Repeat("x", 11))}},
		"an empty one":   {"\x00\x00\xff\x00\x02\xff4a", []incoming{text(packet.MESSAGE, "a")}},
		"not undoubled":  {"\x00\x05\xff4Ã©", []incoming{text(packet.MESSAGE, "Ã©")}},
	}
	for name, test := range good {
		t.Run("reads "+name, func(t *testing.T) {
			got, err := cutAll(test.body, true)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
	for name, body := range map[string]string{
		"an unknown form": "\x02\x01\xff1", "no length": "\x00\xff1", "no end of the length": "\x00\x01", "a digit above nine": "\x00\x0a\xff1",
		"more than there is": "\x00\x03\xff4a", "text that is not UTF-8": "\x00\x02\xff4\xff", "a length beyond all bounds": "\x00" + strings.Repeat("\x09", 40) + "\xff1",
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			_, err := cutAll(body, true)
			require.Error(t, err)
		})
	}
}

func TestAppendPayload(t *testing.T) {
	got := appendPayload(nil, []outgoing{
		{kind: packet.OPEN, data: []byte("{}")}, {kind: packet.MESSAGE, data: []byte("0")}, {kind: packet.PONG, data: []byte("é😀")}, {kind: packet.NOOP},
	})
	assert.Equal(t, "3:0{}2:404:3é😀1:6", string(got))
}

func FuzzCutPacket(f *testing.F) {
	for _, body := range []string{
		"2:4a", "3:4😀5:4Ã©Ã©", "6:b4AQI=", "\x00\x05\xff4😀\x01\x03\xff\x04\x01\xff", "999999999:4", "0:0:", "2:😀00",
		":4a", "-1:4a", "1e9:4", "2:4", "2:\xff\xff", "00000000002:4a", "\x00" + strings.Repeat("\x09", 40) + "\xff1", "\x02\x01\xff1", "6:b4A===", "3:4\x80a",
	} {
		f.Add([]byte(body), false)
		f.Add([]byte(body), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, form bool) {
		cost.Bound(t, 64*uint64(len(body))+4096, func() {
			var err error
			for rest := body; len(rest) > 0 && err == nil; {
				_, _, rest, err = cutPacket(rest, form)
			}
		})
		for len(body) > 0 {
			p, found, rest, err := cutPacket(body, form)
			if err != nil {
				return
			}
			taken := len(body) - len(rest)
			if taken <= 0 || !bytes.HasSuffix(body, rest) {
				t.Fatalf("took %d bytes", taken)
			}
			if len(p.data) > taken || !found && p.data != nil {
				t.Fatalf("more came out than went in")
			}
			if !form && found && p.form == frame.String && !utf8.Valid(p.data) {
				t.Fatalf("not UTF-8: %q", p.data)
			}
			body = rest
		}
	})
}

// What the server writes, clients cut by counting in UTF-16, and so does cutPacket.
func FuzzAppendPayload(f *testing.F) {
	f.Add("plain", "😀 é 日本")
	f.Add("", "1:2")
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			t.Skip() // every packet is UTF-8
		}
		payload := appendPayload(nil, []outgoing{{kind: packet.PONG, data: []byte(a)}, {kind: packet.MESSAGE, data: []byte(b)}})
		units := utf16.Encode([]rune(string(payload)))
		for _, want := range []string{"3" + a, "4" + b} {
			digits, _, _ := strings.Cut(string(utf16.Decode(units)), ":")
			n := len(utf16.Encode([]rune(want)))
			got := units[len(digits)+1 : len(digits)+1+n]
			if string(utf16.Decode(got)) != want {
				t.Fatalf("%q holds %q, want %q", payload, string(utf16.Decode(got)), want)
			}
			units = units[len(digits)+1+n:]
		}
		got, err := cutAll(string(payload), false)
		if err != nil || len(got) != 2 {
			t.Fatalf("%q: %v, %v", payload, got, err)
		}
	})
}
