package sio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http/httptest"
	"regexp"
	"strings"

	"github.com/gorilla/websocket"

	"parley/adapters/socketio/sio"
)

// wire is a client in the examples: it shows what goes over the wire.
type wire struct{ conn *websocket.Conn }

var (
	servers = map[*sio.Server]*httptest.Server{}
	clients = map[*sio.Server][]wire{}
)

func dial(io *sio.Server) wire {
	if servers[io] == nil {
		servers[io] = httptest.NewServer(io)
	}
	conn, resp, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(servers[io].URL, "http")+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()
	_, _, _ = conn.ReadMessage() // the engine's handshake
	w := wire{conn}
	clients[io] = append(clients[io], w)
	return w
}

func shutdown(io *sio.Server) {
	for _, w := range clients[io] {
		w.close()
	}
	delete(clients, io)
	_ = io.Shutdown(context.Background(), 0)
	servers[io].Close()
	delete(servers, io)
}

// talk sends a packet and prints as many messages of the server as are given by answers.
func (w wire) talk(packet string, answers int) {
	_ = w.conn.WriteMessage(websocket.TextMessage, []byte(packet))
	w.hear(answers)
}

func (w wire) sendBinary(data []byte) { _ = w.conn.WriteMessage(websocket.BinaryMessage, data) }

func (w wire) close() { _ = w.conn.Close() }

var random = regexp.MustCompile(`("[sp]id":"|,")(?:[A-Za-z0-9_-]{20}|[0-9a-z]{10})(")`)

func (w wire) hear(n int) {
	for range n {
		kind, data, err := w.conn.ReadMessage()
		text := string(data)
		if err != nil {
			text = err.Error()
		} else if kind == websocket.BinaryMessage {
			text = hiddenID.ReplaceAllString(fmt.Sprintf("%q", data), `xb4…\xa3nsp`)
		}
		fmt.Println(random.ReplaceAllString(text, "${1}…${2}"))
	}
}

var hiddenID = regexp.MustCompile(`xb4[A-Za-z0-9_-]{20}\\xa3nsp`)

// exchange sends CONNECT and returns the pid in the answer.
func (w wire) exchange(packet string) string {
	_ = w.conn.WriteMessage(websocket.TextMessage, []byte(packet))
	_, data, _ := w.conn.ReadMessage()
	var answer struct{ PID string }
	_ = json.Unmarshal(data[2:], &answer)
	return answer.PID
}
