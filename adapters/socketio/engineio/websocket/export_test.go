package websocket

// Held is the memory in bytes that the decoder keeps beside itself.
func (d *Decoder) Held() int { return cap(d.buf) }

// Unmask is unmask, for comparison with the plain loop of RFC 6455 §5.3.
func Unmask(b []byte, key uint32) uint32 { return unmask(b, key) }
