package packet

import (
	"bytes"
	"math"
	"strconv"
)

// nesting is an array or object that is being scanned.
type nesting struct {
	object bool
	// key is what the current member means to a placeholder.
	key member
	// placeholder: the member "_placeholder" is true. num is the text of the member "num". Of repeated keys the
	// last one counts, as in JSON.parse.
	placeholder bool
	num         []byte
}

type member byte

const (
	memberOther member = iota
	memberPlaceholder
	memberNum
)

func (n *nesting) set(value []byte) {
	switch n.key {
	case memberPlaceholder:
		n.placeholder = string(value) == "true"
	case memberNum:
		n.num = value
	}
}

// checkPlaceholders returns [ErrIllegalAttachments] unless every placeholder in valid JSON refers to one of n
// attachments.
func checkPlaceholders(data []byte, n int) error {
	return eachPlaceholder(data, func(_ int, num []byte) error {
		_, err := attachmentIndex(num, n)
		return err
	})
}

// attachmentIndex reads the "num" of a placeholder: an integer from 0 to n-1 in any notation of JSON.
func attachmentIndex(num []byte, n int) (int, error) {
	if !isNumber(num) {
		return 0, ErrIllegalAttachments
	}
	f, err := strconv.ParseFloat(string(num), 64)
	if err != nil || f != math.Trunc(f) || f < 0 || f >= float64(n) {
		return 0, ErrIllegalAttachments
	}
	return int(f), nil
}

// eachPlaceholder calls found for each object in valid JSON that has a member "_placeholder" with the value true,
// at any depth, inner objects first. depth is the number of containers around the object; num is the text of its
// member "num", nil if that is missing or a container.
func eachPlaceholder(data []byte, found func(depth int, num []byte) error) error {
	if !bytes.Contains(data, []byte("_placeholder")) && bytes.IndexByte(data, '\\') < 0 {
		return nil
	}
	var (
		stack   = make([]nesting, 1, 8) // the first stands for the whole text
		wantKey bool
	)
	for i := 0; i < len(data); {
		start, top := i, &stack[len(stack)-1]
		switch c := data[i]; {
		case isSpace(c) || c == ':':
			i++
			continue
		case c == ',':
			i, wantKey = i+1, top.object
			continue
		case c == '{' || c == '[':
			top.set(nil)
			stack = append(stack, nesting{object: c == '{'})
			i, wantKey = i+1, c == '{'
			continue
		case c == '}' || c == ']':
			if len(stack) == 1 {
				return nil // not valid JSON after all
			}
			stack = stack[:len(stack)-1]
			if top.placeholder {
				if err := found(len(stack)-1, top.num); err != nil {
					return err
				}
			}
			i++
			continue
		}
		i = endOfValue(data, i)
		if wantKey {
			top.key, wantKey = memberOf(data[start:i]), false
			continue
		}
		top.set(data[start:i])
	}
	return nil
}

// memberOf returns what a quoted key means to a placeholder.
func memberOf(key []byte) member {
	switch {
	case !isString(key):
		return memberOther
	case spells(key, "_placeholder"):
		return memberPlaceholder
	case spells(key, "num"):
		return memberNum
	}
	return memberOther
}
