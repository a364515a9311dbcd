package packet

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// reach says what a value of some type may contain. It is computed once per type, so that arguments without
// binary data need not be searched.
type reach byte

const (
	// sendsBytes: a byte slice that encoding/json would write as base64, and that no MarshalJSON or MarshalText
	// of an enclosing type hides.
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

// plan is what is known about a type.
type plan struct {
	reach reach
	// fields are the fields of a struct that contain anything of interest.
	fields []field
}

type field struct {
	index int
	reach reach
	// embedded: the field is unexported but embeds a struct or a pointer to one, whose exported fields
	// encoding/json treats as fields of the outer struct.
	embedded bool
	// omitEmpty: encoding/json leaves out an empty slice.
	omitEmpty bool
}

var (
	binaryType    = reflect.TypeFor[Binary]()
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()

	plans   sync.Map // reflect.Type to *plan; as many as the program has types
	nothing = &plan{}
)

// planOf returns the plan of a type, which may be nil.
func planOf(t reflect.Type) *plan {
	if t == nil {
		return nothing
	}
	if known, ok := plans.Load(t); ok {
		return known.(*plan)
	}
	// Each field is explored on its own: in a recursive type, what was found for the fields while exploring the
	// whole is incomplete.
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

// explore collects what t contains. hidden says that a type around t marshals itself.
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

// isBytes reports whether encoding/json writes the slice type t as base64. Methods of t itself are not
// considered.
func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && !marshalsItself(reflect.PointerTo(t.Elem()))
}

func marshalsItself(t reflect.Type) bool {
	return t.Implements(jsonMarshaler) || t.Implements(textMarshaler)
}
