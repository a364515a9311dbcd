package websocket_test

import (
	"bufio"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio/websocket"
)

const (
	agreed    = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	unlimited = math.MaxInt
)

func TestAccept_Deflate(t *testing.T) {
	for offer, c := range map[string]struct {
		offers  []string
		answer  string
		largest int
	}{
		"no offer":                             {nil, "", 0},
		"the offer of Firefox":                 {[]string{"permessage-deflate"}, agreed, unlimited},
		"the offer of Chrome":                  {[]string{"permessage-deflate; client_max_window_bits"}, agreed, unlimited},
		"an offer in capitals and with blanks": {[]string{"  PerMessage-Deflate ;\tClient_Max_Window_Bits = 10 "}, agreed, unlimited},
		"an offer without context takeover":    {[]string{agreed}, agreed, unlimited},
		"a window of the server's own size":    {[]string{"permessage-deflate; server_max_window_bits=15"}, agreed + "; server_max_window_bits=15", unlimited},
		"a smaller window, in quotes,":         {[]string{`permessage-deflate; server_max_window_bits="10"`}, agreed + "; server_max_window_bits=10", 1024},
		"the offer of Python's websockets":     {[]string{"permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"}, agreed + "; server_max_window_bits=12", 4096},
		"the smallest window":                  {[]string{"permessage-deflate; server_max_window_bits=8"}, agreed + "; server_max_window_bits=8", 256},
		"the first acceptable offer of several": {
			[]string{"x-webkit-deflate-frame, permessage-deflate; mystery, permessage-deflate; server_max_window_bits=9", "permessage-deflate"},
			agreed + "; server_max_window_bits=9", 512,
		},
		"another extension":                    {[]string{"permessage-bzip2", "x-webkit-deflate-frame"}, "", 0},
		"a name with the right beginning":      {[]string{"permessage-deflate2"}, "", 0},
		"an unknown parameter":                 {[]string{"permessage-deflate; mystery"}, "", 0},
		"an empty parameter":                   {[]string{"permessage-deflate; "}, "", 0},
		"a repeated parameter":                 {[]string{"permessage-deflate; client_max_window_bits; client_max_window_bits=10"}, "", 0},
		"a value that a parameter cannot have": {[]string{"permessage-deflate; server_no_context_takeover=1"}, "", 0},
		"an empty value":                       {[]string{"permessage-deflate; client_no_context_takeover="}, "", 0},
		"a missing value":                      {[]string{"permessage-deflate; server_max_window_bits"}, "", 0},
		"a window too small":                   {[]string{"permessage-deflate; server_max_window_bits=7"}, "", 0},
		"a window too large":                   {[]string{"permessage-deflate; server_max_window_bits=16"}, "", 0},
		"a window with a leading zero":         {[]string{"permessage-deflate; server_max_window_bits=08"}, "", 0},
		"a window that is no number":           {[]string{"permessage-deflate; client_max_window_bits=ten"}, "", 0},
		"an empty window of the client":        {[]string{"permessage-deflate; client_max_window_bits="}, "", 0},
		"an unclosed quote":                    {[]string{`permessage-deflate; server_max_window_bits="10`}, "", 0},
		"60 KB of separators":                  {[]string{strings.Repeat(",; ", 20_000) + "permessage-deflate"}, "", 0},
		"a list of 2,000 offers":               {strings.Split(strings.Repeat("permessage-deflate; x ", 2000), " "), "", 0},
		"4 KB of parameters":                   {[]string{"permessage-deflate" + strings.Repeat(";a", 2000)}, "", 0},
		"an extension that breaks lines":       {[]string{"permessage-deflate\r\nX: y"}, "", 0},
	} {
		outcome := " is accepted"
		if c.answer == "" {
			outcome = " is answered with nothing"
		}
		t.Run(offer+outcome, func(t *testing.T) {
			r := opening()
			r.Header["Sec-Websocket-Extensions"] = c.offers
			server, client := net.Pipe()
			defer client.Close()
			answered := make(chan http.Header, 1)
			go func() {
				resp, err := http.ReadResponse(bufio.NewReader(client), nil)
				if assert.NoError(t, err) {
					_, _ = io.Copy(io.Discard, resp.Body)
					answered <- resp.Header
				}
			}()
			o, refusal := websocket.Accept(pipeWriter{httptest.NewRecorder(), server}, r, nil, true)
			require.Nil(t, refusal)
			require.NoError(t, o.Answer())
			_ = o.Conn.Close()
			assert.Equal(t, c.largest, o.Largest)
			assert.Equal(t, c.answer, strings.Join((<-answered)["Sec-Websocket-Extensions"], " and "))
		})
	}

	t.Run("Upgrade agrees to no extension", func(t *testing.T) {
		r := opening()
		r.Header.Set("Sec-WebSocket-Extensions", "permessage-deflate")
		server, client := net.Pipe()
		defer client.Close()
		read := make(chan string, 1)
		go func() {
			all, _ := io.ReadAll(client)
			read <- string(all)
		}()
		conn, _, err := websocket.Upgrade(pipeWriter{httptest.NewRecorder(), server}, r, http.Header{"Sec-Websocket-Extensions": {"permessage-deflate"}})
		require.NoError(t, err)
		_ = conn.Close()
		assert.NotContains(t, <-read, "permessage-deflate")
	})
}
