package packet

import "strconv"

// The functions here read JSON that is known to be valid. For anything else their results are meaningless, but they
// terminate and stay inside the input.

// skipSpace returns the index of the first byte from i on that is not white space.
func skipSpace(data []byte, i int) int {
	for i < len(data) && isSpace(data[i]) {
		i++
	}
	return i
}

// trimSpace cuts off the white space around a payload.
func trimSpace(data []byte) []byte {
	data = data[skipSpace(data, 0):]
	for len(data) > 0 && isSpace(data[len(data)-1]) {
		data = data[:len(data)-1]
	}
	return data
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// endOfValue returns the index after the value that starts at i.
func endOfValue(data []byte, i int) int {
	for depth := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			i = endOfString(data, i)
			if depth == 0 {
				return i
			}
			i--
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ':', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return len(data)
}

// endOfString returns the index after the string whose opening quote is at i.
func endOfString(data []byte, i int) int {
	for i++; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

// isNumber reports whether a JSON value is a number: only numbers begin like this.
func isNumber(value []byte) bool {
	return len(value) > 0 && (value[0] == '-' || value[0] >= '0' && value[0] <= '9')
}

// isString reports whether a JSON value is a string: only strings begin like this.
func isString(value []byte) bool { return len(value) >= 2 && value[0] == '"' }

// spells reports whether a quoted JSON string has the value name. name consists of ASCII letters and underscores,
// so \uXXXX is the only escape that can stand for one of its characters.
func spells(quoted []byte, name string) bool {
	rest := quoted[1 : len(quoted)-1]
	for i := range len(name) {
		if len(rest) == 0 {
			return false
		}
		if rest[0] != '\\' {
			if rest[0] != name[i] {
				return false
			}
			rest = rest[1:]
			continue
		}
		if len(rest) < 6 || rest[1] != 'u' {
			return false
		}
		code, err := strconv.ParseUint(string(rest[2:6]), 16, 16)
		if err != nil || code != uint64(name[i]) {
			return false
		}
		rest = rest[6:]
	}
	return len(rest) == 0
}
