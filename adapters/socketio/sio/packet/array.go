package packet

import (
	"bytes"
	"encoding/json"
)

// SplitArray appends the elements of a JSON array to dst, each as its raw text, which aliases the input. It
// checks once that the whole input is valid JSON. It fails with [ErrInvalidPayload] if the input is not valid or
// not an array, and with [ErrTooManyArgs] beyond [MaxArgs] elements.
func SplitArray(array []byte, dst []json.RawMessage) ([]json.RawMessage, error) {
	if !json.Valid(array) {
		return dst, ErrInvalidPayload
	}
	return split(array[skipSpace(array, 0):], dst)
}

// split is SplitArray for JSON known to be valid. For any other input the result is meaningless, but split
// terminates and stays inside the input.
func split(array []byte, dst []json.RawMessage) ([]json.RawMessage, error) {
	if len(array) == 0 || array[0] != '[' {
		return dst, ErrInvalidPayload
	}
	i := skipSpace(array, 1)
	if i < len(array) && array[i] == ']' {
		return dst, nil
	}
	for n := 0; i < len(array); n++ {
		if n == MaxArgs {
			return dst, ErrTooManyArgs
		}
		end := endOfValue(array, i)
		dst = append(dst, array[i:end:end])
		i = skipSpace(array, end)
		if i == len(array) || array[i] != ',' {
			break
		}
		i = skipSpace(array, i+1)
	}
	return dst, nil
}

// EventName returns the name of an event from the first element of its payload: a string, or a number as it is
// written. [Decode] has refused reserved names already.
func EventName(element json.RawMessage) (string, error) {
	if isNumber(element) {
		return string(element), nil
	}
	if !isString(element) {
		return "", errNotAName
	}
	if bytes.IndexByte(element, '\\') < 0 {
		return string(element[1 : len(element)-1]), nil
	}
	var name string
	if err := json.Unmarshal(element, &name); err != nil {
		return "", errNotAName
	}
	return name, nil
}
