package websocket

// Held returns the memory that the decoder holds besides itself, in bytes.
func (d *Decoder) Held() int { return cap(d.buf) }

// Unmask exports unmask, for comparison with the plain loop of RFC 6455 §5.3.
func Unmask(b []byte, key uint32) uint32 { return unmask(b, key) }
