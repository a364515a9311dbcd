package packet_test

import (
	"fmt"

	"parley/adapters/socketio/sio/packet"
)

func ExampleDecode() {
	p, err := packet.Decode([]byte(`2/chat,7["message",{"content":"hello"}]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	args, _ := p.Args(nil)
	name, _ := packet.EventName(args[0])
	var message struct{ Content string }
	_ = packet.Bind(args[1], nil, &message)
	fmt.Println(p.Type, p.Namespace, p.ID, name, message.Content)
	// Output: EVENT /chat 7 message hello
}

func ExampleAppendConnectError() {
	fmt.Printf("%s\n", packet.AppendConnectError(nil, "/chat", "token expired", []byte(`{"code":"TOKEN_EXPIRED"}`)))
	// Output: 4/chat,{"message":"token expired","data":{"code":"TOKEN_EXPIRED"}}
}

func ExampleMarshalArgs() {
	array, attachments, _ := packet.MarshalArgs("upload", map[string]any{"name": "a.png", "data": []byte("png")})
	fmt.Printf("%s\n", packet.AppendEvent(nil, "/", nil, len(attachments), array))
	for _, attachment := range attachments {
		fmt.Printf("%s\n", attachment) // each is a binary message of its own
	}
	// Output:
	// 51-["upload",{"data":{"_placeholder":true,"num":0},"name":"a.png"}]
	// png
}

func ExampleAssembler() {
	var a packet.Assembler
	_, whole, _ := a.Text([]byte(`51-["upload",{"name":"a.png","data":{"_placeholder":true,"num":0}}]`))
	fmt.Println(whole)
	p, whole, _ := a.Binary([]byte("png"))
	fmt.Println(whole)

	args, _ := p.Args(nil)
	var file struct {
		Name string
		Data packet.Binary
	}
	_ = packet.Bind(args[1], p.Buffers, &file)
	fmt.Printf("%s %s\n", file.Name, file.Data)
	// Output:
	// false
	// true
	// a.png png
}
