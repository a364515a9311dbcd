package engineio_test

import (
	"bytes"
	"compress/flate"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	gorilla "github.com/gorilla/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/engineio"
	"parley/adapters/socketio/engineio/websocket"
)

const deflateThreshold = 1024

var compressing = engineio.Config{PerMessageDeflate: deflateThreshold}

// openDeflate opens a session whose client offers permessage-deflate.
func (k *kit) openDeflate(offer string) *wsClient {
	k.t.Helper()
	ws, got := k.tryUpgrade(webSocket, "Sec-WebSocket-Extensions", offer)
	require.Contains(k.t, got.header.Get("Sec-WebSocket-Extensions"), "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
	opened := ws.read()
	require.False(k.t, opened.deflated, "the session id is a secret")
	ws.peer = k.clientOf(opened.data).peer
	return ws
}

// sendDeflated sends a message compressed.
func (ws *wsClient) sendDeflated(op websocket.Opcode, payload string) {
	ws.t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	require.NoError(ws.t, err)
	_, _ = io.WriteString(w, payload)
	require.NoError(ws.t, w.Flush())
	wire := appendClientFrame(nil, op, bytes.TrimSuffix(out.Bytes(), []byte("\x00\x00\xff\xff")))
	wire[0] |= 0x40
	ws.write(wire)
}

func TestPerMessageDeflate_Off(t *testing.T) {
	bubble(t, "by default compression is not negotiated", func(t *testing.T) {
		k := inMemory(t, engineio.Config{})
		ws, got := k.tryUpgrade(webSocket, "Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")
		assert.Empty(t, got.header.Values("Sec-WebSocket-Extensions"))
		p := k.clientOf(ws.read().data).peer
		long := strings.Repeat("long ", 1000)
		p.send(long)
		assert.Equal(t, text("4"+long), ws.read())
		go ws.sendDeflated(websocket.OpText, "4hello")
		assert.Equal(t, closeFrame("\x03\xeareserved bits set without an extension"), ws.read())
		ws.close()
	})

	bubble(t, "a client that does not offer compression gets and sends plain messages", func(t *testing.T) {
		k := inMemory(t, compressing)
		ws := k.openWebSocket()
		long := strings.Repeat("long ", 1000)
		ws.peer.send(long)
		assert.Equal(t, text("4"+long), ws.read())
		go ws.sendDeflated(websocket.OpText, "4hello")
		assert.Equal(t, closeFrame("\x03\xeareserved bits set without an extension"), ws.read())
		ws.close()
	})
}

func TestPerMessageDeflate_Sends(t *testing.T) {
	fill := func(bytes int) string { return strings.Repeat("x", bytes) }
	for message, tc := range map[string]struct {
		offer    string
		packet   *engineio.Packet
		data     string
		deflated bool
	}{
		"a text message of the threshold's size":                      {"permessage-deflate", textPacket(fill(deflateThreshold - 1)), "4" + fill(deflateThreshold-1), true},
		"a text message just below the threshold":                     {"permessage-deflate", textPacket(fill(deflateThreshold - 2)), "4" + fill(deflateThreshold-2), false},
		"a binary message":                                            {"permessage-deflate", binaryPacket([]byte(fill(deflateThreshold))...), fill(deflateThreshold), true},
		"a volatile message":                                          {"permessage-deflate", textPacket(fill(5000)).Volatile(), "4" + fill(5000), true},
		"a large message":                                             {"permessage-deflate", textPacket(fill(900_000)), "4" + fill(900_000), true},
		"a message that must not be compressed":                       {"permessage-deflate", textPacket(fill(5000)).Uncompressed(), "4" + fill(5000), false},
		"a message that fits the smaller window agreed":               {"permessage-deflate; server_max_window_bits=11", textPacket(fill(2047)), "4" + fill(2047), true},
		"a message that does not fit the smaller window agreed":       {"permessage-deflate; server_max_window_bits=11", textPacket(fill(2048)), "4" + fill(2048), false},
		"a large message under the largest window":                    {"permessage-deflate; server_max_window_bits=15", textPacket(fill(100_000)), "4" + fill(100_000), true},
		"a message of the threshold under a window smaller than that": {"permessage-deflate; server_max_window_bits=9", textPacket(fill(1500)), "4" + fill(1500), false},
		"a message to a client that asks for no context takeover":     {"permessage-deflate; server_no_context_takeover", textPacket(fill(1500)), "4" + fill(1500), true},
	} {
		outcome := " leaves plain"
		if tc.deflated {
			outcome = " leaves compressed"
		}
		bubble(t, message+outcome, func(t *testing.T) {
			ws := inMemory(t, compressing).openDeflate(tc.offer)
			for range 2 { // the second must not need any context of the first
				ws.peer.session.Send(tc.packet)
				got := ws.read()
				assert.Equal(t, tc.data, got.data)
				assert.Equal(t, tc.deflated, got.deflated)
			}
			ws.peer.session.Close()
			assert.Equal(t, closeFrame(""), ws.read())
			ws.close()
		})
	}

	bubble(t, "one message reaches every client in its own form", func(t *testing.T) {
		k := inMemory(t, compressing)
		squeezed, plain, polls := k.openDeflate("permessage-deflate"), k.openWebSocket(), k.handshake()
		long := strings.Repeat("long ", 1000)
		to := []*engineio.Session{squeezed.peer.session, plain.peer.session, polls.peer.session}
		engineio.Multicast(slices.Values(to), textPacket("short"), textPacket(long), binaryPacket(1, 2))
		assert.Equal(t, []frame{text("4short"), {op: websocket.OpText, data: "4" + long, deflated: true}, {op: websocket.OpBinary, data: "\x01\x02"}},
			[]frame{squeezed.read(), squeezed.read(), squeezed.read()})
		assert.Equal(t, []string{"4short", "4" + long}, plain.readText(2))
		assert.Equal(t, "4short\x1e4"+long+"\x1ebAQI=", polls.poll())
	})

	bubble(t, "messages are compressed after an upgrade from polling", func(t *testing.T) {
		k := inMemory(t, compressing)
		c := k.handshake()
		long := strings.Repeat("long ", 1000)
		ws, _ := k.tryUpgrade(webSocket+"&sid="+c.sid, "Sec-WebSocket-Extensions", "permessage-deflate")
		ws.sendDeflated(websocket.OpText, "2probe")
		assert.Equal(t, text("3probe"), ws.read())
		c.peer.send(long)
		ws.sendDeflated(websocket.OpText, "5")
		assert.Equal(t, frame{op: websocket.OpText, data: "4" + long, deflated: true}, ws.read())
	})

	t.Run("compressed messages reach a slow reader in order", func(t *testing.T) {
		k := onLoopback(t, engineio.Config{PerMessageDeflate: 64})
		ws := k.openDeflate("permessage-deflate")
		var want []string
		for i := range 300 {
			// Every third message is below the threshold; the others are large enough to fill socket buffers.
			s := strings.Repeat(string(rune('a'+i%26)), i%3*20_000+10)
			want = append(want, "4"+s)
			ws.peer.session.Answer(textPacket(s))
		}
		for i := range want {
			got := ws.read()
			require.True(t, want[i] == got.data, "message %d", i)
			require.Equal(t, i%3 > 0, got.deflated)
		}
	})
}

func TestPerMessageDeflate_Receives(t *testing.T) {
	bubble(t, "compressed and plain messages are heard in order", func(t *testing.T) {
		ws := inMemory(t, compressing).openDeflate("permessage-deflate")
		long := strings.Repeat("é", 10_000)
		ws.sendDeflated(websocket.OpText, "4"+long)
		ws.sendText("4plain")
		ws.sendDeflated(websocket.OpBinary, "\x01\x02")
		ws.kit.settle()
		assert.Equal(t, []string{long, "plain", "binary 01 02"}, ws.peer.got())
	})

	for sentence, tc := range map[string]struct {
		payload string
		want    string
	}{
		"1009 if it inflates to more than the limit": {"4" + strings.Repeat("x", 10_000), "\x03\xf1message is too big"},
		"1007 if it is not UTF-8":                    {"4\xff", "\x03\xeftext message is not UTF-8"},
	} {
		bubble(t, "a violation is answered with "+sentence, func(t *testing.T) {
			config := compressing
			config.MaxPayload = 10_000
			ws := inMemory(t, config).openDeflate("permessage-deflate")
			go ws.sendDeflated(websocket.OpText, tc.payload)
			assert.Equal(t, closeFrame(tc.want), ws.read())
			ws.close()
			ws.kit.settle()
			assert.Equal(t, only(engineio.ReasonTransportError), ws.peer.ended())
			assert.Empty(t, ws.peer.got())
		})
	}
}

func TestPerMessageDeflate_Gorilla(t *testing.T) {
	t.Run("an independent client's messages of all sizes come back", func(t *testing.T) {
		k := onLoopback(t, compressing, func(p *peer) {
			p.onReceive = func(data []byte, binary bool) {
				if binary {
					p.session.Answer(binaryPacket(data...))
					return
				}
				p.session.Answer(textPacket(string(data)))
			}
		})
		dialer := gorilla.Dialer{EnableCompression: true, NetDialContext: k.dialContext}
		conn, resp, err := dialer.Dial("ws://example.test"+webSocket, nil)
		require.NoError(t, err)
		_ = resp.Body.Close()
		require.Contains(t, resp.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate")
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		_, _, err = conn.ReadMessage() // the open packet
		require.NoError(t, err)
		for _, size := range []int{0, 1, 1000, 1023, 1024, 65_536, 900_000} {
			sent := bytes.Repeat([]byte("what a day "), size/11+1)[:size]
			require.NoError(t, conn.WriteMessage(gorilla.TextMessage, append([]byte("4"), sent...)))
			kind, got, err := conn.ReadMessage()
			require.NoError(t, err)
			assert.Equal(t, gorilla.TextMessage, kind)
			assert.True(t, "4"+string(sent) == string(got), "%d bytes of text", size)
			require.NoError(t, conn.WriteMessage(gorilla.BinaryMessage, sent))
			kind, got, err = conn.ReadMessage()
			require.NoError(t, err)
			assert.Equal(t, gorilla.BinaryMessage, kind)
			assert.True(t, bytes.Equal(sent, got), "%d bytes", size)
		}
		require.NoError(t, conn.Close())
	})
}
