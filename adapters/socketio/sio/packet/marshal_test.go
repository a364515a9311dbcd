package packet_test

import (
	"encoding/json"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio/packet"
)

// byValue and byPointer write themselves, the second only if it has an address.
type (
	byValue   struct{ Secret []byte }
	byPointer struct{ Secret []byte }
	octet     uint8
	octets    []octet
	inner     struct{ Deep []byte }
	tree      struct {
		Name  string  `json:"name"`
		Data  []byte  `json:"data,omitempty"`
		Left  *tree   `json:"left,omitempty"`
		Nodes []*tree `json:"nodes,omitempty"`
	}
	tagged struct {
		inner
		First   packet.Binary `json:"first"`
		Hidden  []byte        `json:"-"`
		Empty   []byte        `json:"empty,omitempty"`
		Nil     []byte        `json:"nil"`
		private []byte
		Last    any `json:"last"`
	}
	shared struct{ Data []byte }
	opaque struct{ In shared }
	both   struct {
		Opaque opaque
		Plain  shared
	}
	loop struct {
		Data []byte
		Next *loop
	}
)

func (opaque) MarshalJSON() ([]byte, error) { return []byte(`"opaque"`), nil }
func (v byValue) MarshalJSON() ([]byte, error) {
	return []byte(`"by value ` + string(v.Secret) + `"`), nil
}

func (p *byPointer) MarshalJSON() ([]byte, error) {
	return []byte(`"by pointer ` + string(p.Secret) + `"`), nil
}

func TestMarshalArgs(t *testing.T) {
	ph := func(n string) string { return `{"_placeholder":true,"num":` + n + `}` }
	a, b, c := []byte("aaa"), []byte("bb"), []byte("c")
	for _, row := range []struct {
		name string
		args []any
		want string
		atts [][]byte
	}{
		{"nothing", nil, `[]`, nil},
		{"no binary", []any{"ev", 1, nil, true, "<&>", map[string]int{"b": 1, "a": 2}}, `["ev",1,null,true,"<&>",{"a":2,"b":1}]`, nil},
		{"bytes as arguments", []any{"ev", a, b}, `["ev",` + ph("0") + `,` + ph("1") + `]`, [][]byte{a, b}},
		{"the same bytes twice", []any{a, a}, `[` + ph("0") + `,` + ph("1") + `]`, [][]byte{a, a}},
		{"empty bytes", []any{[]byte{}}, `[` + ph("0") + `]`, [][]byte{{}}},
		{"nil bytes", []any{[]byte(nil), packet.Binary(nil)}, `[null,null]`, nil},
		{"a Binary", []any{packet.Binary(a)}, `[` + ph("0") + `]`, [][]byte{a}},
		{"a pointer to bytes", []any{&a}, `[` + ph("0") + `]`, [][]byte{a}},
		{"bytes of a type of one's own", []any{octets{1, 2}}, `[` + ph("0") + `]`, [][]byte{{1, 2}}},
		{
			"numbers follow the text, whose keys are sorted",
			[]any{map[string]any{"z": a, "a": b, "m": []any{1, c}}},
			`[{"a":` + ph("0") + `,"m":[1,` + ph("1") + `],"z":` + ph("2") + `}]`,
			[][]byte{b, c, a},
		},
		{
			"slices, arrays and maps of bytes",
			[]any{[][]byte{a, b}, [1][]byte{c}, map[string][]byte{"k": a}},
			`[[` + ph("0") + `,` + ph("1") + `],[` + ph("2") + `],{"k":` + ph("3") + `}]`,
			[][]byte{a, b, c, a},
		},
		{
			"tags are honoured, and what is left out is not attached",
			[]any{tagged{inner: inner{Deep: b}, First: a, Hidden: c, Empty: []byte{}, private: c, Last: c}},
			`[{"Deep":` + ph("0") + `,"first":` + ph("1") + `,"nil":null,"last":` + ph("2") + `}]`,
			[][]byte{b, a, c},
		},
		{
			"a recursive type",
			[]any{&tree{Name: "r", Data: a, Left: &tree{Name: "l"}, Nodes: []*tree{{Data: b}, nil}}},
			`[{"name":"r","data":` + ph("0") + `,"left":{"name":"l"},"nodes":[{"name":"","data":` + ph("1") + `},null]}]`,
			[][]byte{a, b},
		},
		{
			"types that write themselves are left to it",
			[]any{byValue{a}, &byPointer{a}, json.RawMessage(`{"raw":1}`), net.IP{127, 0, 0, 1}, time.Unix(0, 0).UTC(), []any{byValue{a}}, []byPointer{{a}}},
			`["by value aaa","by pointer aaa",{"raw":1},"127.0.0.1","1970-01-01T00:00:00Z",["by value aaa"],["by pointer aaa"]]`, nil,
		},
		{
			"a method of the pointer does not count for a value, as in encoding/json",
			[]any{byPointer{a}, map[string]byPointer{"k": {b}}},
			`[{"Secret":` + ph("0") + `},{"k":{"Secret":` + ph("1") + `}}]`,
			[][]byte{a, b},
		},
		{
			"a type is searched although it also is inside one that writes itself",
			[]any{both{opaque{shared{a}}, shared{b}}},
			`[{"Opaque":"opaque","Plain":{"Data":` + ph("0") + `}}]`,
			[][]byte{b},
		},
		{"an array of bytes is numbers", []any{[2]byte{1, 2}}, `[[1,2]]`, nil},
		{"typed nils", []any{(*tree)(nil), []any(nil), map[string]any(nil), any(nil)}, `[null,null,null,null]`, nil},
		{"text that looks like a placeholder", []any{map[string]any{"_placeholder": true, "num": 5}}, `[{"_placeholder":true,"num":5}]`, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, atts, err := packet.MarshalArgs(row.args...)
			require.NoError(t, err)
			assert.Equal(t, row.want, string(got))
			assert.Equal(t, row.atts, atts)
		})
	}

	t.Run("arguments are not changed and attachments not copied", func(t *testing.T) {
		value := &tree{Data: a, Nodes: []*tree{{Data: b}}}
		args := []any{value, map[string]any{"k": c}}
		_, atts, err := packet.MarshalArgs(args...)
		require.NoError(t, err)
		assert.Equal(t, []any{&tree{Data: []byte("aaa"), Nodes: []*tree{{Data: []byte("bb")}}}, map[string]any{"k": []byte("c")}}, args)
		assert.Same(t, value, args[0])
		require.Len(t, atts, 3)
		assert.Same(t, &a[0], &atts[0][0])
	})

	t.Run("more than 10 attachments are an error", func(t *testing.T) {
		many := make([]any, 11)
		for i := range many {
			many[i] = a
		}
		_, atts, err := packet.MarshalArgs(many[:10]...)
		require.NoError(t, err)
		assert.Len(t, atts, 10)
		_, _, err = packet.MarshalArgs(many...)
		assert.ErrorIs(t, err, packet.ErrTooManyAttachments)
	})

	t.Run("a value that contains itself is an error", func(t *testing.T) {
		ring := &loop{Data: a}
		ring.Next = ring
		_, _, err := packet.MarshalArgs(ring)
		assert.Error(t, err)
		self := map[string]any{}
		self["a"], self["b"] = self, self
		_, _, err = packet.MarshalArgs(self)
		assert.Error(t, err)
	})

	t.Run("a value that JSON cannot express is an error", func(t *testing.T) {
		_, _, err := packet.MarshalArgs("ev", func() {}, a)
		assert.Error(t, err)
	})

	t.Run("arguments without binary data cost no more than Marshal", func(t *testing.T) {
		type message struct {
			Content string `json:"content"`
			Seq     uint64 `json:"seq"`
		}
		args := []any{"message", &message{"hello", 1}}
		plain := fewestAllocs(func() { _, _ = packet.Marshal(args) })
		assert.Equal(t, plain, fewestAllocs(func() { _, _, _ = packet.MarshalArgs(args...) }))
	})
}
