package engineio_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"parley/adapters/socketio/engineio"
)

// shouter answers each text in capitals.
type shouter struct{ session *engineio.Session }

func (s *shouter) Receive(data []byte, binary bool) {
	if !binary {
		buf := append(make([]byte, engineio.Headroom), strings.ToUpper(string(data))...)
		s.session.Send(engineio.TextPacket(buf))
	}
}

func (s *shouter) Closed(engineio.CloseReason) {}

// A server, and a client that speaks the polling transport by hand.
func Example() {
	id := func(*http.Request) (string, error) { return "an-id", nil } // fixed for the example only: ids must not be guessable
	server := engineio.NewServer(engineio.Config{GenerateID: id},
		func(s *engineio.Session, _ *engineio.Handshake) engineio.Receiver { return &shouter{s} })
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", server)
	web := httptest.NewServer(mux)
	defer web.Close()

	url := web.URL + "/engine.io/?EIO=4&transport=polling"
	show(http.Get(url))
	show(http.Post(url+"&sid=an-id", "text/plain", strings.NewReader("4hello\x1e4world")))
	show(http.Get(url + "&sid=an-id"))
	show(http.Post(url+"&sid=an-id", "text/plain", strings.NewReader("1")))
	if err := server.Shutdown(context.Background(), 0); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 0{"sid":"an-id","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}
	// ok
	// 4HELLO | 4WORLD
	// ok
}

func show(resp *http.Response, err error) {
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(strings.ReplaceAll(string(body), "\x1e", " | "))
}
