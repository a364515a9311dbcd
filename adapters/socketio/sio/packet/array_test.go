package packet_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio/packet"
)

func TestSplitArray(t *testing.T) {
	for array, want := range map[string][]string{
		`[]`:                              {},
		" [ \n] ":                         {},
		`[1]`:                             {`1`},
		" [\t1 ,\r\n2 ] ":                 {`1`, `2`},
		`["a",true,null,-1.5e3]`:          {`"a"`, `true`, `null`, `-1.5e3`},
		`["[,]","{\"a\":1}","\\","\\\""]`: {`"[,]"`, `"{\"a\":1}"`, `"\\"`, `"\\\""`},
		`[[1,[2,3]],{"a":[1,"]"]},{}]`:    {`[1,[2,3]]`, `{"a":[1,"]"]}`, `{}`},
		`["é😀"]`:                          {`"é😀"`},
	} {
		t.Run(array, func(t *testing.T) {
			got, err := packet.SplitArray([]byte(array), nil)
			require.NoError(t, err)
			require.Len(t, got, len(want))
			for i := range want {
				assert.Equal(t, want[i], string(got[i]))
			}
		})
	}

	for _, bad := range []string{``, ` `, `[`, `]`, `{}`, `"[]"`, `null`, `1`, `[1`, `[1,]`, `[,1]`, `[1]]`, `[1] 2`, `["a]`, `[01]`, `["` + "\n" + `"]`} {
		t.Run("refuses "+bad, func(t *testing.T) {
			_, err := packet.SplitArray([]byte(bad), nil)
			assert.ErrorIs(t, err, packet.ErrInvalidPayload)
		})
	}

	t.Run("elements are appended to what is there", func(t *testing.T) {
		got, err := packet.SplitArray([]byte(`[2]`), []json.RawMessage{json.RawMessage(`1`)})
		require.NoError(t, err)
		assert.Equal(t, []json.RawMessage{json.RawMessage(`1`), json.RawMessage(`2`)}, got)
	})

	t.Run("an append to an element does not reach the next", func(t *testing.T) {
		got, err := packet.SplitArray([]byte(`[1,2]`), nil)
		require.NoError(t, err)
		_ = append(got[0], "xxx"...)
		assert.Equal(t, `2`, string(got[1]))
	})

	t.Run("1,024 elements are enough", func(t *testing.T) {
		most := `[0` + strings.Repeat(`,0`, packet.MaxArgs-1)
		got, err := packet.SplitArray([]byte(most+`]`), nil)
		require.NoError(t, err)
		assert.Len(t, got, packet.MaxArgs)
		_, err = packet.SplitArray([]byte(most+`,0]`), nil)
		assert.ErrorIs(t, err, packet.ErrTooManyArgs)
	})

	t.Run("SplitArray allocates nothing if dst has room", func(t *testing.T) {
		array, dst := []byte(`["message",{"a":1},[2,3]]`), make([]json.RawMessage, 0, 4)
		n := 0
		assert.Zero(t, fewestAllocs(func() {
			got, _ := packet.SplitArray(array, dst)
			n = len(got)
		}))
		assert.Equal(t, 3, n)
	})
}

func TestPacket_Args(t *testing.T) {
	t.Run("the Args of an event are its name and arguments", func(t *testing.T) {
		p, err := packet.Decode([]byte(`2["a",{"b":1}]`))
		require.NoError(t, err)
		args, err := p.Args(nil)
		require.NoError(t, err)
		assert.Equal(t, []json.RawMessage{json.RawMessage(`"a"`), json.RawMessage(`{"b":1}`)}, args)
	})
	t.Run("an absent payload has no Args", func(t *testing.T) {
		args, err := (&packet.Packet{}).Args(nil)
		require.NoError(t, err)
		assert.Empty(t, args)
	})
	t.Run("a payload that is an object is refused", func(t *testing.T) {
		_, err := (&packet.Packet{Data: []byte(`{}`)}).Args(nil)
		assert.ErrorIs(t, err, packet.ErrInvalidPayload)
	})
}

func TestEventName(t *testing.T) {
	for element, want := range map[string]string{
		`"message"`:      "message",
		`""`:             "",
		`"a\"b\u00e9\n"`: "a\"bé\n",
		`"\ud83d\ude00"`: "😀",
		`"\ud800"`:       "\uFFFD",
		`12`:             "12",
		`-1.5`:           "-1.5",
	} {
		t.Run(element, func(t *testing.T) {
			got, err := packet.EventName(json.RawMessage(element))
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
	for _, bad := range []string{``, `"`, `null`, `true`, `{}`, `[]`, `"\x"`} {
		t.Run("refuses "+bad, func(t *testing.T) {
			_, err := packet.EventName(json.RawMessage(bad))
			assert.Error(t, err)
		})
	}
}
