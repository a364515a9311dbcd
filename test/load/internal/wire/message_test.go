package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/test/load/internal/wire"
)

// event builds the body of a message event as a server sends it.
func event(s wire.Stamp, seq uint64, size int) []byte {
	return fmt.Appendf(nil,
		`["message",{"type":"message","conversationId":"room-1","userId":"u:seq","content":"%s",`+
			`"timestamp":"2026-01-02T03:04:05.678Z","messageId":"m-1","seq":%d}]`,
		wire.AppendContent(nil, s, size), seq)
}

func TestScanMessage(t *testing.T) {
	for _, s := range []wire.Stamp{
		{},
		{Number: 7, Due: 1500 * time.Microsecond},
		{Number: 9_999_999_999, Due: 1<<63 - 1},
	} {
		got, seq, ok := wire.ScanMessage(event(s, 1234567, 128))
		require.True(t, ok)
		assert.Equal(t, s, got)
		assert.Equal(t, uint64(1234567), seq)
	}

	t.Run("the order of the fields does not matter", func(t *testing.T) {
		body := fmt.Appendf(nil, `["message",{"seq":5,"content":"%s"}]`, wire.AppendContent(nil, wire.Stamp{Number: 3, Due: 9}, 60))
		got, seq, ok := wire.ScanMessage(body)
		require.True(t, ok)
		assert.Equal(t, wire.Stamp{Number: 3, Due: 9}, got)
		assert.Equal(t, uint64(5), seq)
	})

	good := string(event(wire.Stamp{Number: 1, Due: 2}, 3, 64))
	for name, bad := range map[string]string{
		"no stamp":            strings.Replace(good, `"load:`, `"else:`, 1),
		"a damaged stamp":     strings.Replace(good, `"load:0`, `"load:x`, 1),
		"a cut stamp":         good[:strings.Index(good, "load:")+12],
		"no seq":              strings.Replace(good, `"seq":3`, `"sequ":3`, 1),
		"a seq without value": strings.Replace(good, `"seq":3`, `"seq":`, 1),
		"a seq beyond int64":  strings.Replace(good, `"seq":3`, `"seq":9999999999999999999`, 1),
	} {
		t.Run(name+" is no message of ours", func(t *testing.T) {
			require.NotEqual(t, good, bad)
			_, _, ok := wire.ScanMessage([]byte(bad))
			assert.False(t, ok)
		})
	}

	t.Run("nothing is allocated", func(t *testing.T) {
		frame := serverFrame(0x81, append([]byte("42"), event(wire.Stamp{Number: 1}, 2, 128)...))
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			f, _, _ := wire.Cut(frame)
			_, _, _ = wire.ScanMessage(f.Payload[2:])
		}))
	})
}

func TestAppendContent(t *testing.T) {
	for _, size := range []int{wire.MinContent, 128, 65_536} {
		content := wire.AppendContent(nil, wire.Stamp{Number: 12, Due: 34}, size)
		assert.Len(t, content, size)
		quoted, err := json.Marshal(string(content))
		require.NoError(t, err)
		assert.Len(t, quoted, size+2, "nothing needs escaping")
	}
}

func TestDecodeMessage(t *testing.T) {
	good := string(event(wire.Stamp{Number: 1, Due: 2}, 3, 64))
	t.Run("a message by the contract is accepted", func(t *testing.T) {
		m, err := wire.DecodeMessage([]byte(good), "room-1", 64)
		require.NoError(t, err)
		assert.Equal(t, uint64(3), m.Seq)
		assert.Equal(t, "u:seq", m.UserID)
	})
	t.Run("a recovery offset behind it is allowed", func(t *testing.T) {
		_, err := wire.DecodeMessage([]byte(strings.TrimSuffix(good, "]")+`,"offset-1"]`), "room-1", 64)
		assert.NoError(t, err)
	})
	for name, bad := range map[string]string{
		"another type":             strings.Replace(good, `"type":"message"`, `"type":"system"`, 1),
		"another conversation":     strings.Replace(good, `room-1`, `room-2`, 1),
		"no user":                  strings.Replace(good, `"u:seq"`, `""`, 1),
		"no message id":            strings.Replace(good, `"m-1"`, `""`, 1),
		"a shorter content":        strings.Replace(good, `xx`, `x`, 1),
		"a timestamp without ms":   strings.Replace(good, `.678Z`, `Z`, 1),
		"a timestamp not in UTC":   strings.Replace(good, `.678Z`, `.678+02:00`, 1),
		"a seq the scanner misses": strings.Replace(good, `"seq":3`, `"seq": 3`, 1),
		"no payload":               `["message"]`,
		"something not an array":   `{"a":1}`,
		"a payload not an object":  `["message",7]`,
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			require.NotEqual(t, good, bad)
			_, err := wire.DecodeMessage([]byte(bad), "room-1", 64)
			assert.Error(t, err)
		})
	}
}

func TestAccepted(t *testing.T) {
	ok, _ := wire.Accepted([]byte(`[{"ok":true,"seq":1}]`))
	assert.True(t, ok)
	ok, code := wire.Accepted([]byte(`[{"ok":false,"error":{"code":"RATE_LIMITED","message":"slow down"}}]`))
	assert.False(t, ok)
	assert.Equal(t, "RATE_LIMITED", code)
	for _, bad := range []string{`[]`, `[{"ok":false,"error":{"code":""}}]`, `[{"error":{"code":"CUT`} {
		ok, code = wire.Accepted([]byte(bad))
		assert.False(t, ok)
		assert.Equal(t, "UNKNOWN", code, bad)
	}
}

func FuzzScanMessage(f *testing.F) {
	f.Add(event(wire.Stamp{Number: 1, Due: 2}, 3, 64))
	f.Add([]byte(`["message",{"content":"load:`))
	f.Add([]byte(`"seq":`))
	f.Add([]byte(`"load:000000000000000000000000000000"seq":0`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, seq, ok := wire.ScanMessage(b)
		if !ok {
			assert.Zero(t, seq)
			return
		}
		assert.GreaterOrEqual(t, s.Due, time.Duration(0))
		assert.Contains(t, string(b), string(wire.AppendContent(nil, s, wire.MinContent))[:wire.MinContent-1])
	})
}

func BenchmarkScanMessage(b *testing.B) {
	frame := serverFrame(0x81, append([]byte("42"), event(wire.Stamp{Number: 1}, 2, 128)...))
	b.ReportAllocs()
	for b.Loop() {
		f, _, _ := wire.Cut(frame)
		if _, _, ok := wire.ScanMessage(f.Payload[2:]); !ok {
			b.Fatal("not found")
		}
	}
}
