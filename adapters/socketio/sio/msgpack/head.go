package msgpack

// form is how a value, or the head of one, is written: a number below few is part of the prefix fix; others
// follow the prefix code in size bytes, or one of the next prefixes in two, four or eight times as many.
type form struct {
	fix  byte
	few  uint64
	code byte
	size int
}

var (
	uintForm  = form{fix: 0x00, few: 0x80, code: 0xcc, size: 1}
	strForm   = form{fix: 0xa0, few: 0x20, code: 0xd9, size: 1}
	binForm   = form{code: 0xc4, size: 1}
	arrayForm = form{fix: 0x90, few: 0x10, code: 0xdc, size: 2}
	mapForm   = form{fix: 0x80, few: 0x10, code: 0xde, size: 2}
)

func appendHead(dst []byte, f form, n uint64) []byte {
	if n < f.few {
		return append(dst, f.fix|byte(n))
	}
	for f.size < 8 && n>>(8*f.size) != 0 {
		f.code, f.size = f.code+1, 2*f.size
	}
	return appendBigEndian(append(dst, f.code), n, f.size)
}

func appendInt(dst []byte, n int64) []byte {
	if n >= 0 {
		return appendHead(dst, uintForm, uint64(n))
	}
	if n >= -0x20 {
		return append(dst, byte(n))
	}
	code, size := byte(0xd0), 1
	for size < 8 && n < -1<<(8*size-1) {
		code, size = code+1, 2*size
	}
	return appendBigEndian(append(dst, code), uint64(n), size)
}

// appendBigEndian appends the last size bytes of n.
func appendBigEndian(dst []byte, n uint64, size int) []byte {
	for size--; size >= 0; size-- {
		dst = append(dst, byte(n>>(8*size)))
	}
	return dst
}
