package msgpack_test

import (
	"fmt"

	"parley/adapters/socketio/sio/msgpack"
	"parley/adapters/socketio/sio/packet"
)

func ExampleDecode() {
	p, err := msgpack.Decode([]byte("\x84\xa4type\x02\xa4data\x92\xa6upload\x82\xa4name\xa5a.png\xa4data\xc4\x03png\xa2id\x07\xa3nsp\xa1/"))
	if err != nil {
		fmt.Println(err)
		return
	}
	args, _ := p.Args(nil)
	var file struct {
		Name string
		Data packet.Binary
	}
	_ = packet.Bind(args[1], p.Buffers, &file)
	fmt.Println(p.Type, p.ID, file.Name, string(file.Data))
	// Output: EVENT 7 a.png png
}

func ExampleAppend() {
	data, attachments, _ := packet.MarshalArgs("upload", []byte("png"))
	frame, _ := msgpack.Append(nil, packet.Packet{Type: packet.Event, Data: data, Attachments: len(attachments), Buffers: attachments})
	fmt.Printf("%q\n", frame)
	// Output: "\x83\xa4type\x02\xa4data\x92\xa6upload\xc4\x03png\xa3nsp\xa1/"
}
