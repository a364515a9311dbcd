package packet

import (
	"encoding/json"
	"reflect"
)

// Binary is binary data in the arguments of an event or ack: the counterpart of a Buffer or an ArrayBuffer in
// JavaScript.
//
// It is filled in by [Bind]. The JSON of an argument contains only a placeholder, for which encoding/json alone
// leaves an empty Binary. A base64 string is accepted too, so that what encoding/json writes for a Binary can be
// read again.
type Binary []byte

// UnmarshalJSON accepts a placeholder, a base64 string or null.
func (b *Binary) UnmarshalJSON(raw []byte) error {
	if len(raw) == 0 || raw[0] != '{' {
		return json.Unmarshal(raw, (*[]byte)(b))
	}
	index, err := 0, ErrIllegalAttachments
	_ = eachPlaceholder(raw, func(depth int, num []byte) error {
		if depth == 0 {
			index, err = attachmentIndex(num, MaxAttachments)
		}
		return nil
	})
	if err != nil {
		return err
	}
	// The mark is in the slice's capacity, beyond its length: without Bind the value is empty, and an append
	// overwrites the mark.
	*b = newMark(index)[:0]
	return nil
}

// placeholder returns the index of the attachment that b waits for.
func (b Binary) placeholder() (int, bool) {
	if len(b) != 0 || cap(b) != markSize {
		return 0, false
	}
	return markIndex(b[:markSize])
}

// Bind decodes one argument into v, a non-nil pointer, as [json.Unmarshal] does, and puts the packet's
// attachments wherever v has a [Binary], however deep, and wherever a placeholder was decoded into an interface,
// which then holds a Binary. The attachments are not copied.
//
// It fails as json.Unmarshal does, and with [ErrIllegalAttachments] if a placeholder for a Binary refers to no
// attachment. If v contains neither a Binary nor an interface, or only interfaces and there are no attachments,
// it costs no more than json.Unmarshal.
func Bind(raw json.RawMessage, attachments [][]byte, v any) error {
	if err := json.Unmarshal(raw, v); err != nil {
		return err
	}
	b := binder{attachments: attachments, wanted: takesBinary}
	if len(attachments) > 0 {
		b.wanted |= takesAny
	}
	if planOf(reflect.TypeOf(v)).reach&b.wanted == 0 {
		return nil
	}
	return b.resolve(reflect.ValueOf(v), 0)
}

// maxJSONDepth is how deep encoding/json reads, with room for the pointers and interfaces between the levels.
const maxJSONDepth = 3 * 10_000

// binder replaces placeholders in a decoded value.
type binder struct {
	attachments [][]byte
	// wanted is what may contain placeholders.
	wanted reach
}

func (b *binder) resolve(v reflect.Value, depth int) error {
	if depth > maxJSONDepth {
		return errDepth
	}
	p := planOf(v.Type())
	if p.reach&b.wanted == 0 {
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return b.resolve(v.Elem(), depth+1)
	case reflect.Interface:
		return b.resolveInterface(v, depth+1)
	case reflect.Struct:
		for _, f := range p.fields {
			if err := b.resolve(v.Field(f.index), depth+1); err != nil {
				return err
			}
		}
	case reflect.Slice:
		if v.Type() == binaryType {
			return b.resolveBinary(v)
		}
		return b.resolveElements(v, depth+1)
	case reflect.Array:
		return b.resolveElements(v, depth+1)
	case reflect.Map:
		return b.resolveMap(v, depth+1)
	}
	return nil
}

func (b *binder) resolveBinary(v reflect.Value) error {
	index, ok := Binary(v.Bytes()).placeholder()
	if !ok || !v.CanSet() {
		return nil
	}
	if index >= len(b.attachments) {
		return ErrIllegalAttachments
	}
	v.SetBytes(b.attachments[index])
	return nil
}

// resolveInterface handles what encoding/json may have put into an interface: a map or a slice of its own, or the
// target of a pointer that was in it before.
func (b *binder) resolveInterface(v reflect.Value, depth int) error {
	if v.IsNil() {
		return nil
	}
	held := v.Elem()
	if object, ok := held.Interface().(map[string]any); ok && object["_placeholder"] == true {
		num, ok := object["num"].(float64)
		index := int(num)
		if !ok || float64(index) != num || index < 0 || index >= len(b.attachments) {
			return ErrIllegalAttachments
		}
		if v.CanSet() {
			v.Set(reflect.ValueOf(Binary(b.attachments[index])))
		}
		return nil
	}
	switch held.Kind() {
	case reflect.Map, reflect.Slice, reflect.Pointer:
		return b.resolve(held, depth)
	}
	return nil
}

func (b *binder) resolveElements(v reflect.Value, depth int) error {
	for i := range v.Len() {
		if err := b.resolve(v.Index(i), depth); err != nil {
			return err
		}
	}
	return nil
}

// resolveMap puts every value back, because the values of a map cannot be changed in place.
func (b *binder) resolveMap(v reflect.Value, depth int) error {
	for entries := v.MapRange(); entries.Next(); {
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(entries.Value())
		if err := b.resolve(value, depth); err != nil {
			return err
		}
		v.SetMapIndex(entries.Key(), value)
	}
	return nil
}
