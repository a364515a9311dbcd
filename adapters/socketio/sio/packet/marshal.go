package packet

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strconv"
)

// Marshal encodes v as [json.Marshal] does, but leaves <, > and & unescaped, like JSON.stringify.
func Marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte{'\n'}), nil
}

// MarshalArgs encodes args as a JSON array in which each []byte, [Binary] or other slice of bytes that
// encoding/json would write as base64 is replaced by a placeholder. The attachments are those slices themselves,
// not copies, in the order of their placeholders.
//
// Struct tags are honoured, and a type that has MarshalJSON or MarshalText encodes itself. A nil slice becomes
// null.
//
// It fails as json.Marshal does, with [ErrTooManyAttachments] beyond what clients accept, with
// [ErrIllegalAttachments] if an object next to binary data looks like a placeholder, and, where it has to search
// for bytes, if values are nested more than 1,000 deep.
func MarshalArgs(args ...any) (array []byte, attachments [][]byte, err error) {
	if len(args) == 0 {
		return []byte("[]"), nil, nil
	}
	var s search
	swapped := args
	for i, arg := range args {
		if planOf(reflect.TypeOf(arg)).reach&sends == 0 {
			continue
		}
		v, changed, err := s.swap(reflect.ValueOf(arg), false, 0)
		if err != nil {
			return nil, nil, err
		}
		if !changed {
			continue
		}
		if &swapped[0] == &args[0] {
			swapped = append([]any(nil), args...)
		}
		swapped[i] = v.Interface()
	}
	if array, err = Marshal(swapped); err != nil || len(s.found) == 0 {
		return array, nil, err
	}
	if array, attachments, err = s.putPlaceholders(array); err != nil {
		return nil, nil, err
	}
	if err = checkOwnPlaceholders(array, len(attachments)); err != nil {
		return nil, nil, err
	}
	return array, attachments, nil
}

// checkOwnPlaceholders makes sure that an encoded array has no placeholders besides those of its n attachments:
// clients could not tell them apart, or would close the connection.
func checkOwnPlaceholders(array []byte, n int) error {
	if n == 0 {
		return nil
	}
	return eachPlaceholder(array, func(int, []byte) error {
		if n--; n < 0 {
			return ErrIllegalAttachments
		}
		return nil
	})
}

// A mark stands in for binary data while encoding/json is at work: markSeed and three bytes of index. Nobody
// outside the process can guess the seed, so no text from a client is mistaken for a mark. The 15 bytes of the
// seed are 20 characters of base64, without a remainder, and so the index is the 4 after them.
const (
	markSeedSize = 15
	markSize     = markSeedSize + 3
)

var (
	markSeed   = newMarkSeed()
	quotedSeed = []byte(`"` + base64.StdEncoding.EncodeToString(markSeed[:]))
)

func newMarkSeed() (seed [markSeedSize]byte) {
	_, _ = rand.Read(seed[:]) // documented never to fail
	return seed
}

func newMark(index int) []byte {
	return append(append(make([]byte, 0, markSize), markSeed[:]...), byte(index>>16), byte(index>>8), byte(index))
}

// markIndex returns the index of a mark, or false if b is none.
func markIndex(b []byte) (int, bool) {
	if len(b) != markSize || !bytes.Equal(b[:markSeedSize], markSeed[:]) {
		return 0, false
	}
	return int(b[markSeedSize])<<16 | int(b[markSeedSize+1])<<8 | int(b[markSeedSize+2]), true
}

// maxDepth is the depth at which a value is assumed to contain itself, as in encoding/json.
const maxDepth = 1000

// search collects byte slices. The index in a mark is that in found.
type search struct{ found [][]byte }

// swap returns v with each byte slice replaced by a mark, and whether there was any. v itself is not changed:
// what contains a byte slice is copied. addressable says whether encoding/json could take the address of v, and
// so would call methods of its pointer type.
func (s *search) swap(v reflect.Value, addressable bool, depth int) (reflect.Value, bool, error) {
	if depth > maxDepth {
		return v, false, errDepth
	}
	if !v.IsValid() || planOf(v.Type()).reach&sends == 0 {
		return v, false, nil
	}
	t := v.Type()
	if addressable && marshalsItself(reflect.PointerTo(t)) {
		return v, false, nil
	}
	switch v.Kind() {
	case reflect.Interface:
		return s.swap(v.Elem(), false, depth+1)
	case reflect.Pointer:
		elem, changed, err := s.swap(v.Elem(), true, depth+1)
		if !changed {
			return v, false, err
		}
		out := reflect.New(t.Elem())
		out.Elem().Set(elem)
		return out.Convert(t), true, nil
	case reflect.Struct:
		return s.swapFields(v, reflect.Value{}, addressable, depth+1)
	case reflect.Map:
		return s.swapMap(v, depth+1)
	case reflect.Slice:
		if isBytes(t) {
			if v.IsNil() {
				return v, false, nil
			}
			out := reflect.New(t).Elem()
			out.SetBytes(newMark(len(s.found)))
			s.found = append(s.found, v.Bytes())
			return out, true, nil
		}
		return s.swapElements(v, true, depth+1)
	case reflect.Array:
		return s.swapElements(v, addressable, depth+1)
	}
	return v, false, nil
}

// swapFields is swap for a struct. out is a copy of v that may be changed, or the zero Value to make one when
// needed.
func (s *search) swapFields(v, out reflect.Value, addressable bool, depth int) (reflect.Value, bool, error) {
	changed := false
	writable := func() reflect.Value {
		if !out.IsValid() {
			out = reflect.New(v.Type()).Elem()
			out.Set(v)
		}
		return out
	}
	for _, f := range planOf(v.Type()).fields {
		member := v.Field(f.index)
		if f.embedded {
			// reflect can change it only in place, and not at all behind a pointer.
			if member.Kind() == reflect.Struct {
				_, swapped, err := s.swapFields(member, writable().Field(f.index), addressable, depth+1)
				if err != nil {
					return v, false, err
				}
				changed = changed || swapped
			}
			continue
		}
		if f.omitEmpty && isBytes(member.Type()) && member.Len() == 0 {
			continue // a mark is not empty
		}
		value, swapped, err := s.swap(member, addressable, depth)
		if err != nil {
			return v, false, err
		}
		if swapped {
			writable().Field(f.index).Set(value)
			changed = true
		}
	}
	return out, changed, nil
}

func (s *search) swapElements(v reflect.Value, addressable bool, depth int) (reflect.Value, bool, error) {
	out, changed := v, false
	for i := range v.Len() {
		value, swapped, err := s.swap(v.Index(i), addressable, depth)
		if err != nil {
			return v, false, err
		}
		if !swapped {
			continue
		}
		if !changed {
			changed = true
			out = reflect.New(v.Type()).Elem()
			if v.Kind() == reflect.Slice {
				out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			}
			reflect.Copy(out, v)
		}
		out.Index(i).Set(value)
	}
	return out, changed, nil
}

func (s *search) swapMap(v reflect.Value, depth int) (reflect.Value, bool, error) {
	out, changed := v, false
	for entries := v.MapRange(); entries.Next(); {
		value, swapped, err := s.swap(entries.Value(), false, depth)
		if err != nil {
			return v, false, err
		}
		if !swapped {
			continue
		}
		if !changed {
			changed = true
			out = reflect.MakeMapWithSize(v.Type(), v.Len())
			for all := v.MapRange(); all.Next(); {
				out.SetMapIndex(all.Key(), all.Value())
			}
		}
		out.SetMapIndex(entries.Key(), value)
	}
	return out, changed, nil
}

// putPlaceholders replaces the marks in an encoded array. Placeholders are numbered in the order of the text, and
// what encoding/json left out is not attached.
func (s *search) putPlaceholders(array []byte) ([]byte, [][]byte, error) {
	const indexEnd = 4 + len(`"`)
	out := make([]byte, 0, len(array)+8*len(s.found))
	var attachments [][]byte
	for {
		at := bytes.Index(array, quotedSeed)
		if at < 0 {
			return append(out, array...), attachments, nil
		}
		if len(attachments) == MaxAttachments {
			return nil, nil, ErrTooManyAttachments
		}
		out = append(out, array[:at]...)
		array = array[at+len(quotedSeed):]
		var index [3]byte
		// It cannot fail: encoding/json has just written these four characters of base64.
		_, _ = base64.StdEncoding.Decode(index[:], array[:4])
		array = array[indexEnd:]
		out = append(out, `{"_placeholder":true,"num":`...)
		out = strconv.AppendInt(out, int64(len(attachments)), 10)
		out = append(out, '}')
		attachments = append(attachments, s.found[int(index[0])<<16|int(index[1])<<8|int(index[2])])
	}
}
