package packet

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// reach says what a value of some type may lead to. It is found once for each
// type, so that arguments without binary data are not searched.
type reach byte

const (
	// sendsBytes: a byte slice that encoding/json would write as base64, not
	// hidden behind a MarshalJSON or MarshalText of the type around it.
	sendsBytes reach = 1 << iota
	// sendsAny: an interface, likewise not hidden, which may hold byte slices.
	sendsAny
	// takesBinary: a Binary.
	takesBinary
	// takesAny: an interface.
	takesAny
)

const (
	sends = sendsBytes | sendsAny
	takes = takesBinary | takesAny
)

// plan is what is known of a type.
type plan struct {
	reach reach
	// fields are those of a struct that lead anywhere.
	fields []field
}

type field struct {
	index int
	reach reach
	// embedded: the name of the field is not exported, but it embeds a struct or a
	// pointer to one, whose exported fields encoding/json takes for those of the
	// outer struct.
	embedded bool
	// omitEmpty: a slice without elements is left out.
	omitEmpty bool
}

var (
	binaryType    = reflect.TypeFor[Binary]()
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()

	plans   sync.Map // reflect.Type to *plan; as many as the program has types
	nothing = &plan{}
)

// planOf works for a nil type too.
func planOf(t reflect.Type) *plan {
	if t == nil {
		return nothing
	}
	if known, ok := plans.Load(t); ok {
		return known.(*plan)
	}
	// Each part is explored on its own: in a recursive type, what is found of the
	// parts on the way to the whole is not complete.
	p := &plan{reach: explore(t, false, map[visit]bool{})}
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() && !embedsStruct(f) {
				continue
			}
			if r := explore(f.Type, false, map[visit]bool{}); r != 0 {
				p.fields = append(p.fields, field{
					index: i, reach: r, embedded: !f.IsExported(),
					omitEmpty: strings.Contains(f.Tag.Get("json"), ",omitempty"),
				})
			}
		}
	}
	plans.Store(t, p)
	return p
}

func embedsStruct(f reflect.StructField) bool {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return f.Anonymous && t.Kind() == reflect.Struct
}

type visit struct {
	t      reflect.Type
	hidden bool
}

// explore collects what t leads to. hidden: a type around t marshals itself.
func explore(t reflect.Type, hidden bool, seen map[visit]bool) reach {
	hidden = hidden || marshalsItself(t)
	at := visit{t, hidden}
	if seen[at] {
		return 0
	}
	seen[at] = true
	var found reach
	switch t.Kind() {
	case reflect.Interface:
		found = takesAny
		if !hidden {
			found |= sendsAny
		}
	case reflect.Slice:
		if t == binaryType {
			found = takesBinary
		}
		if !isBytes(t) {
			return found | explore(t.Elem(), hidden, seen)
		}
		if !hidden {
			found |= sendsBytes
		}
	case reflect.Pointer, reflect.Array, reflect.Map:
		found = explore(t.Elem(), hidden, seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() || embedsStruct(f) {
				found |= explore(f.Type, hidden, seen)
			}
		}
	}
	return found
}

// isBytes reports whether encoding/json writes the slice type t as base64. Its
// own methods are not looked at.
func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && !marshalsItself(reflect.PointerTo(t.Elem()))
}

func marshalsItself(t reflect.Type) bool {
	return t.Implements(jsonMarshaler) || t.Implements(textMarshaler)
}
