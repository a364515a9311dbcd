package websocket_test

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"

	"parley/adapters/socketio/engineio/websocket"
)

// session serves one client. It is the Handler of its own decoder.
type session struct {
	conn    net.Conn
	decoder websocket.Decoder
}

func (s *session) Message(op websocket.Opcode, data []byte) error {
	fmt.Printf("%s\n", data)
	frame := websocket.AppendHeader(nil, op, len(data))
	_, err := s.conn.Write(append(frame, data...))
	return err
}

func (s *session) Control(op websocket.Opcode, data []byte) error {
	switch op {
	case websocket.OpPing:
		_, err := s.conn.Write(append(websocket.AppendHeader(nil, websocket.OpPong, len(data)), data...))
		return err
	case websocket.OpClose:
		return net.ErrClosed
	}
	return nil
}

func (s *session) read(early []byte) {
	defer s.conn.Close()
	err := s.decoder.Feed(early, s)
	for buf := make([]byte, 4096); err == nil; {
		var n int
		if n, err = s.conn.Read(buf); err == nil {
			err = s.decoder.Feed(buf[:n], s)
		}
	}
	if violation := (*websocket.CloseError)(nil); errors.As(err, &violation) {
		_, _ = s.conn.Write(websocket.AppendClose(nil, violation.Code, violation.Reason))
	}
}

// A server that echoes messages. The handler returns at once, which lets net/http free what it held for the request; a
// small goroutine does the reading.
func ExampleUpgrade() {
	http.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		conn, early, err := websocket.Upgrade(w, r, nil)
		if refusal := (*websocket.HandshakeError)(nil); errors.As(err, &refusal) {
			maps.Copy(w.Header(), refusal.Header)
			http.Error(w, refusal.Reason, refusal.Status)
			return
		}
		if err != nil {
			return
		}
		s := &session{conn: conn, decoder: websocket.Decoder{MaxMessage: 64 << 10}}
		go s.read(early)
	})
}

// printer is a Handler that prints.
type printer struct{}

func (printer) Message(_ websocket.Opcode, data []byte) error {
	fmt.Printf("message %s\n", data)
	return nil
}

func (printer) Control(op websocket.Opcode, data []byte) error {
	fmt.Printf("control %#x %q\n", byte(op), data)
	return nil
}

// The bytes of a connection may be cut anywhere.
func ExampleDecoder_Feed() {
	var d websocket.Decoder
	_ = d.Feed([]byte{0x81, 0x85, 0x37, 0xfa, 0x21}, printer{})
	_ = d.Feed([]byte{0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}, printer{})
	fmt.Println(d.Feed([]byte{0x81, 0x05}, printer{}))
	// Output:
	// message Hello
	// websocket: client frame is not masked (close 1002)
}
