package packet

import (
	"encoding"
	"encoding/json"
	"reflect"
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

var (
	binaryType    = reflect.TypeFor[Binary]()
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	reachOfType   sync.Map // reflect.Type to reach; bounded by the types of the program
)

func reachOf(t reflect.Type) reach {
	if t == nil {
		return 0
	}
	if known, ok := reachOfType.Load(t); ok {
		return known.(reach)
	}
	// Only the result for t is kept: inside a recursive type, those of its parts
	// are not complete.
	found := explore(t, false, map[visit]bool{})
	reachOfType.Store(t, found)
	return found
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
			if f := t.Field(i); f.IsExported() || f.Anonymous {
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
