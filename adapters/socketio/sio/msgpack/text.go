package msgpack

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxDate is the last millisecond of a date in JavaScript, and its negative the first (ECMA-262, 21.4.1.1).
const maxDate = 8_640_000_000_000_000

func (d *decoder) timestamp(seconds int64, nanos uint64) {
	if nanos >= 1e9 || seconds < -maxDate/1000 || seconds > maxDate/1000 {
		d.date(math.MaxInt64)
		return
	}
	d.date(1000*seconds + int64(nanos/1e6))
}

// date writes milliseconds since 1970 as Date.prototype.toJSON does.
func (d *decoder) date(ms int64) {
	if ms < -maxDate || ms > maxDate {
		d.out = append(d.out, "null"...)
		return
	}
	t := time.UnixMilli(ms).UTC()
	d.out = append(d.out, '"')
	if year := t.Year(); year >= 0 && year <= 9999 {
		d.out = t.AppendFormat(d.out, "2006")
	} else {
		d.out = fmt.Appendf(d.out, "%+07d", year)
	}
	d.out = t.AppendFormat(d.out, `-01-02T15:04:05.000Z"`)
}

// float writes a number as JSON.stringify does (ECMA-262, 6.1.6.1.20).
func (d *decoder) float(f float64) {
	switch abs := math.Abs(f); {
	case math.IsNaN(f) || math.IsInf(f, 0):
		d.out = append(d.out, "null"...)
	case f == 0: // -0 too
		d.out = append(d.out, '0')
	case abs >= 1e-6 && abs < 1e21:
		d.out = strconv.AppendFloat(d.out, f, 'f', -1, 64)
	default:
		d.out = strconv.AppendFloat(d.out, f, 'e', -1, 64)
		// strconv writes at least two digits of an exponent: 1e-07, where JavaScript writes 1e-7. Positive exponents
		// have two digits in any case.
		if n := len(d.out); bytes.HasSuffix(d.out[:n-1], []byte("e-0")) {
			d.out = append(d.out[:n-2], d.out[n-1])
		}
	}
}

// appendString writes a string as JSON.stringify does.
func appendString(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	done := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			if _, size := utf8.DecodeRune(s[i:]); size > 1 {
				i += size - 1
				continue
			}
		} else if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[done:i]...)
		done = i + 1
		switch short := strings.IndexByte("\b\f\n\r\t\"\\", c); {
		case short >= 0:
			dst = append(dst, '\\', `bfnrt"\`[short])
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		default:
			dst = append(dst, "\ufffd"...)
		}
	}
	return append(append(dst, s[done:]...), '"')
}
