package legacy

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNewEvent(t *testing.T) {
	p, err := newEvent("message", struct {
		Content  string          `json:"content"`
		Metadata json.RawMessage `json:"metadata"`
	}{"é 😀", json.RawMessage(`{"日":"本"}`)})
	require.NoError(t, err)
	assert.Equal(t, `2["message",{"content":"\u00e9 \ud83d\ude00","metadata":{"\u65e5":"\u672c"}}]`, string(p.data))
	assert.False(t, p.ephemeral)

	for name, arg := range map[string]any{"binary data": []byte{1}, "what JSON has no form for": make(chan int)} {
		t.Run("fails on "+name, func(t *testing.T) {
			_, err := newEvent("x", arg)
			require.Error(t, err)
			_, err = newAck(1, arg)
			require.Error(t, err)
		})
	}
}

func FuzzASCII(f *testing.F) {
	for _, text := range []string{"", "plain", "é", "日本", "😀", "\u2028\u0000\u007f\u0080\uffff\U0010ffff", "\xff", `\u0041\"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted, err := json.Marshal(text)
		require.NoError(t, err)
		got := ascii(quoted)
		if !isASCII(got) {
			t.Fatalf("not ASCII: %q", got)
		}
		var want, back string
		require.NoError(t, json.Unmarshal(quoted, &want))
		require.NoError(t, json.Unmarshal(got, &back))
		if back != want {
			t.Fatalf("%q became %q", want, back)
		}
	})
}
