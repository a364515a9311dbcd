package packet_test

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio/packet"
)

func TestDecode_Accepts(t *testing.T) {
	event := func(data string) packet.Packet {
		p := packet.Packet{Type: packet.Event, Namespace: "/"}
		if data != "" {
			p.Data = []byte(data)
		}
		return p
	}
	for text, want := range map[string]packet.Packet{
		`0`:                        {Type: packet.Connect, Namespace: "/"},
		`0{"token":"x"}`:           {Type: packet.Connect, Namespace: "/", Data: []byte(`{"token":"x"}`)},
		`0{}`:                      {Type: packet.Connect, Namespace: "/", Data: []byte(`{}`)},
		`05`:                       {Type: packet.Connect, Namespace: "/", ID: 5, HasID: true},
		`0/admin,`:                 {Type: packet.Connect, Namespace: "/admin"},
		`0/admin`:                  {Type: packet.Connect, Namespace: "/admin"},
		`0/admin,{"a":1}`:          {Type: packet.Connect, Namespace: "/admin", Data: []byte(`{"a":1}`)},
		`0/admin?token=x,`:         {Type: packet.Connect, Namespace: "/admin?token=x"},
		`0/admin?a=/b?c,{}`:        {Type: packet.Connect, Namespace: "/admin?a=/b?c", Data: []byte(`{}`)},
		`0/?token=x,`:              {Type: packet.Connect, Namespace: "/?token=x"},
		"0 {} ":                    {Type: packet.Connect, Namespace: "/", Data: []byte(`{}`)},
		`0 `:                       {Type: packet.Connect, Namespace: "/"},
		"1\r\n":                    {Type: packet.Disconnect, Namespace: "/"},
		`2`:                        event(``),
		`20`:                       {Type: packet.Event, Namespace: "/", HasID: true},
		`2/ns`:                     {Type: packet.Event, Namespace: "/ns"},
		`2/ns,`:                    {Type: packet.Event, Namespace: "/ns"},
		"2\t[\"a\"]\n":             event(`["a"]`),
		`2/ns, ["a"]`:              {Type: packet.Event, Namespace: "/ns", Data: []byte(`["a"]`)},
		`20 ["a"]`:                 {Type: packet.Event, Namespace: "/", HasID: true, Data: []byte(`["a"]`)},
		`3 []`:                     {Type: packet.Ack, Namespace: "/", Data: []byte(`[]`)},
		`51-`:                      {Type: packet.BinaryEvent, Namespace: "/", Attachments: 1},
		`51- ["a"]`:                {Type: packet.BinaryEvent, Namespace: "/", Attachments: 1, Data: []byte(`["a"]`)},
		`0/admin{"a":1}`:           {Type: packet.Connect, Namespace: `/admin{"a":1}`},
		`1`:                        {Type: packet.Disconnect, Namespace: "/"},
		`1/admin,`:                 {Type: packet.Disconnect, Namespace: "/admin"},
		`2["a",1,{"b":[]}]`:        event(`["a",1,{"b":[]}]`),
		`2[ "a" , 1 ] `:            event(`[ "a" , 1 ]`),
		`2/,["a"]`:                 event(`["a"]`),
		`2[1,"a number is legal"]`: event(`[1,"a number is legal"]`),
		`2[-1.5]`:                  event(`[-1.5]`),
		`2[""]`:                    event(`[""]`),
		`2["error"]`:               event(`["error"]`),
		`2["__proto__"]`:           event(`["__proto__"]`),
		`2["constructor"]`:         event(`["constructor"]`),
		`2["hasOwnProperty"]`:      event(`["hasOwnProperty"]`),
		`2["a\u0000b"]`:            event(`["a\u0000b"]`),
		`2["\ud800"]`:              event(`["\ud800"]`),
		`2["Connect"]`:             event(`["Connect"]`),
		`2["connect "]`:            event(`["connect "]`),
		`2["a","connect"]`:         event(`["a","connect"]`),
		`212["a"]`:                 {Type: packet.Event, Namespace: "/", ID: 12, HasID: true, Data: []byte(`["a"]`)},
		`20["a"]`:                  {Type: packet.Event, Namespace: "/", HasID: true, Data: []byte(`["a"]`)},
		`2/ns,007["a"]`:            {Type: packet.Event, Namespace: "/ns", ID: 7, HasID: true, Data: []byte(`["a"]`)},
		`218446744073709551615["a"]`: {
			Type: packet.Event, Namespace: "/", ID: 1<<64 - 1, HasID: true, Data: []byte(`["a"]`),
		},
		`3`:                    {Type: packet.Ack, Namespace: "/"},
		`30`:                   {Type: packet.Ack, Namespace: "/", HasID: true},
		`31[]`:                 {Type: packet.Ack, Namespace: "/", ID: 1, HasID: true, Data: []byte(`[]`)},
		`3["connect"]`:         {Type: packet.Ack, Namespace: "/", Data: []byte(`["connect"]`)},
		`4`:                    {Type: packet.ConnectError, Namespace: "/"},
		`4"no"`:                {Type: packet.ConnectError, Namespace: "/", Data: []byte(`"no"`)},
		`4/ns,{"message":"x"}`: {Type: packet.ConnectError, Namespace: "/ns", Data: []byte(`{"message":"x"}`)},
		`51-["a"]`:             {Type: packet.BinaryEvent, Namespace: "/", Attachments: 1, Data: []byte(`["a"]`)},
		`510-/ns,3["a"]`:       {Type: packet.BinaryEvent, Namespace: "/ns", ID: 3, HasID: true, Attachments: 10, Data: []byte(`["a"]`)},
		`61-7[]`:               {Type: packet.BinaryAck, Namespace: "/", ID: 7, HasID: true, Attachments: 1, Data: []byte(`[]`)},
		`61-`:                  {Type: packet.BinaryAck, Namespace: "/", Attachments: 1},
	} {
		t.Run(text, func(t *testing.T) {
			got, err := packet.Decode([]byte(text))
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}

	t.Run("the payload aliases the input", func(t *testing.T) {
		text := []byte(`2["a"]`)
		p, err := packet.Decode(text)
		require.NoError(t, err)
		assert.Same(t, &text[1], &p.Data[0])
	})
}

// The texts of the reference notes, without the Engine.IO type in front, those
// of the tests of socket.io-parser, and some between.
func TestDecode_Refuses(t *testing.T) {
	for want, texts := range map[error][]string{
		packet.ErrUnknownType: {``, `7`, `9`, `999`, `a`, `-1`, ` 0`, "\x00", `/admin,`, `8`},
		packet.ErrInvalidPayload: {
			`0"abc"`, `0[1]`, `0[]`, `0null`, `0 1`, `0{`, `0/admin,"invalid"`, `0{"a":1}x`,
			`1{}`, `1/admin,{}`, `1[]`, `1null`,
			`2{}`, `2[]`, `2[ ]`, `2["a"`, `2["a",]`, `2["a"]]`, `2"a"`, `2null`, "2\v[\"a\"]",
			`2/admin,"invalid`, `2/admin,{}`, `2-1["a"]`,
			`2[{"toString":"foo"}]`, `2[true,"x"]`, `2[null,"bar"]`, `2[["a"]]`, `2[false]`,
			`2["connect"]`, `2["connect_error"]`, `2["disconnect","123"]`, `2["disconnecting"]`, `2["newListener"]`,
			`2["removeListener"]`, `2[ "connect" ]`, `2["\u0063onnect"]`, `2["connec\u0074"]`,
			`2["\u0072\u0065\u006d\u006f\u0076\u0065\u004c\u0069\u0073\u0074\u0065\u006e\u0065\u0072"]`,
			`3{}`, `30{}`, `3"a"`, `3null`, `30["x"`,
			`4[1]`, `41.5`, `4true`, `4null`, `42["some","data"`,
			`51-{}`, `51-[]`, `51-["connect"]`, `51-[null]`, `61-{}`,
		},
		packet.ErrIllegalAttachments: {
			`5`, `51`, `510`, `5a-`, `51.23-`, `5-1-`, `50-`, `50-["a"]`, `501-["a"]`, `5-["a"]`, `5["a"]`, `5 1-["a"]`,
			`5+1-["a"]`, `51e0-["a"]`, `50x1-["a"]`, `5/ns,["a"]`, `6`, `60-[]`, `6-[]`,
		},
		packet.ErrTooManyAttachments: {
			`511-`, `511-["a"]`, `5999999999-["e",1]`, `5999999999999999999999999-[1]`, `611-[]`, `51000`,
		},
		packet.ErrIllegalID: {`218446744073709551616["a"]`, `299999999999999999999["a"]`, `318446744073709551616`},
	} {
		for _, text := range texts {
			t.Run(want.Error()+": "+text, func(t *testing.T) {
				p, err := packet.Decode([]byte(text))
				require.ErrorIs(t, err, want)
				assert.Equal(t, packet.Packet{}, p)
			})
		}
	}
}

func TestDecode_Cost(t *testing.T) {
	const size = 1 << 20
	long := func(head, unit, tail string) []byte {
		return []byte(head + strings.Repeat(unit, size/len(unit)) + tail)
	}
	for name, text := range map[string][]byte{
		"1 MB of digits as an id":               long(`2`, `9`, `["a"]`),
		"1 MB of zeros as an id":                long(`2`, `0`, `["a"]`),
		"1 MB of digits as an attachment count": long(`5`, `1`, `-["a"]`),
		"1 MB of namespace":                     long(`2/`, `n`, `,["a"]`),
		"1 MB of namespace without an end":      long(`2/`, `n`, ``),
		"1 MB of query":                         long(`2/n?`, `?`, `,["a"]`),
		"1 MB of opening brackets":              long(`2`, `[`, ``),
		"1 MB of nested arrays":                 long(`2["a",`, `[`, strings.Repeat("]", size)+"]"),
		"1 MB of nested objects":                long(`2["a",`, `{"":`, `0`),
		"1 MB of escaped NUL as a name":         long(`2["`, `\u0000`, `"]`),
		"1 MB of backslashes":                   long(`2["a","`, `\\`, `"]`),
		"1 MB of quotes":                        long(`2["a"`, `,""`, `]`),
		"1 MB of one name":                      long(`2["`, `a`, `"]`),
		"1 MB of elements":                      long(`2["a"`, `,0`, `]`),
		"1 MB of spaces":                        long(`2[`, ` `, `"a"]`),
		"1 MB of number":                        long(`2[`, `1`, `]`),
		"1 MB of placeholders":                  long(`51-["a"`, `,{"_placeholder":true,"num":0}`, `]`),
		"1 MB of placeholder number":            long(`51-["a",{"_placeholder":true,"num":`, `1`, `}]`),
		"1 MB of escaped keys":                  long(`51-["a"`, `,{"\u005fplaceholder":true,"num":0}`, `]`),
		"10,000 levels around a placeholder":    []byte(`51-["a"` + strings.Repeat(`,[{"":0`, 3000) + `,"_placeholder":1` + strings.Repeat(`}]`, 3000) + `]`),
	} {
		t.Run(name+" costs time and memory in proportion", func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			var a packet.Assembler
			p, whole, err := a.Text(text)
			if err == nil && whole {
				_, _ = p.Args(nil)
			}
			// Quadratic time would be minutes.
			assert.Less(t, time.Since(start), 10*time.Second)
			runtime.ReadMemStats(&after)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(3*len(text)+64<<10))
		})
	}

	t.Run("Decode allocates nothing in the root namespace", func(t *testing.T) {
		text := []byte(`2123["message",{"conversationId":"c1","content":"hello"}]`)
		var p packet.Packet
		assert.Zero(t, fewestAllocs(func() { p, _ = packet.Decode(text) }))
		assert.Equal(t, uint64(123), p.ID)
	})
}

// fewestAllocs is the least that f allocates in a run. The pools of encoding/json
// are emptied now and then, and at random under the race detector.
func fewestAllocs(f func()) float64 {
	fewest := testing.AllocsPerRun(1, f)
	for range 100 {
		fewest = min(fewest, testing.AllocsPerRun(1, f))
	}
	return fewest
}

func TestType_String(t *testing.T) {
	assert.Equal(t, "BINARY_ACK", packet.BinaryAck.String())
	assert.Equal(t, "unknown packet type", packet.Type(7).String())
}

// twice decodes text, encodes the result, and decodes that.
func twice(t *testing.T, text []byte) {
	t.Helper()
	p, err := packet.Decode(text)
	if err != nil {
		return
	}
	again := packet.Append(nil, p)
	q, err := packet.Decode(again)
	require.NoError(t, err, "%q from %q", again, text)
	require.Equal(t, p, q, "%q from %q", again, text)
	require.LessOrEqual(t, len(again), len(text)+1, "a namespace may lack its comma")
	require.True(t, bytes.HasSuffix(bytes.TrimRight(text, " \t\r\n"), p.Data))
}
