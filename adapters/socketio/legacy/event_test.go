package legacy_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
	"parley/ports"
)

// emoji has a different length in bytes, characters and UTF-16 code units.
const emoji = "😀 é 日本"

func TestEvents(t *testing.T) {
	bubble(t, "an event is answered by an ack with the client's id, or by an error event", func(t *testing.T) {
		tests := []struct{ send, want string }{
			{`420["typing",{"conversationId":"c","isTyping":true}]`, `430[{"ok":true}]`},
			{`427["presence","c"]`, ""}, // the short form is not this event's
			{`4218["leave_conversation","c"]`, `4318[{"ok":false,"error":{"code":"NOT_IN_CONVERSATION","message":"join the conversation first"}}]`},
			{`42["leave_conversation","c"]`, `42["error",{"event":"leave_conversation","code":"NOT_IN_CONVERSATION","message":"join the conversation first"}]`},
			{`421["no,such]event"]`, `431[{"ok":false,"error":{"code":"INVALID_PAYLOAD","message":"unknown event"}}]`},
			{`42["typing"]`, `42["error",{"event":"typing","code":"INVALID_PAYLOAD","message":"the payload is not what this event takes"}]`},
			{`42["` + emoji + `"]`, `42["error",{"event":"\ud83d\ude00 \u00e9 \u65e5\u672c","code":"INVALID_PAYLOAD","message":"unknown event"}]`},
			{`40/admin?token=x,`, `44/admin,{"message":"Invalid namespace"}`},
		}
		k := newKit(t)
		c, ws := k.newPolling(), k.newSocket()
		for _, test := range tests {
			c.post(test.send)
			ws.write(test.send)
			got := ws.read()
			assert.Equal(t, []string{got}, c.poll())
			if test.want != "" {
				assert.Equal(t, test.want, got)
			}
		}
	})

	bubble(t, "packets that need no answer change nothing", func(t *testing.T) {
		k := newKit(t)
		ws := k.newSocket()
		for _, packet := range []string{"40", "40/?token=x,", "42", `430["x"]`, "41/admin,", "7", "6", `42["typing",{"conversationId":"c","isTyping":true}]`} {
			ws.write(packet)
		}
		ws.write(`420["typing",{"conversationId":"c","isTyping":true}]`)
		assert.Equal(t, `430[{"ok":true}]`, ws.read())
	})

	bubble(t, "an event whose handling panics ends its own session alone", func(t *testing.T) {
		k := newKit(t)
		c, ws := k.newPolling(), k.newSocket()
		c.post(send("panic"))
		synctest.Wait()
		assert.Contains(t, k.logs.take(), "panic in handler")
		assert.Equal(t, []domain.SessionID{ws.id}, k.chat.open())
		assert.Equal(t, []ports.Departure{ports.Dropped}, k.chat.departures())
		ws.write(`420["typing",{"conversationId":"c","isTyping":true}]`)
		assert.Equal(t, `430[{"ok":true}]`, ws.read())
	})
}

func TestEvents_polling(t *testing.T) {
	bubble(t, "events of one request are handled in order, whatever their script", func(t *testing.T) {
		k := newKit(t)
		c := k.newPolling()
		contents := []string{"a", emoji, "", "😀", "1:2:3", "z"}
		var packets []string
		for _, content := range contents {
			packets = append(packets, send(content))
		}
		a := c.post(packets...)
		assert.Equal(t, http.StatusOK, a.status)
		assert.Equal(t, "ok", a.body)
		synctest.Wait()
		assert.Equal(t, contents, k.chat.contents())
	})

	bubble(t, "events of 1.x clients are understood although these encode twice", func(t *testing.T) {
		k := newKit(t)
		c := k.newPolling()
		doubled := func(text string) string {
			var b strings.Builder
			for _, octet := range []byte(text) {
				b.WriteRune(rune(octet))
			}
			return b.String()
		}
		c.post(doubled(send(emoji)), send("Äh, é"), send(emoji))
		synctest.Wait()
		assert.Equal(t, []string{emoji, "Äh, é", emoji}, k.chat.contents())
	})

	bubble(t, "binary payloads are read, and their attachments refused", func(t *testing.T) {
		k := newKit(t)
		c := k.newPolling()
		frame := func(form byte, packet string) string {
			b := []byte{form}
			for _, digit := range []byte(strconv.Itoa(len(packet))) {
				b = append(b, digit-'0')
			}
			return string(append(b, 0xff)) + packet
		}
		body := frame(0, send(emoji)) +
			frame(0, `451-3["message",{"conversationId":"c","content":{"_placeholder":true,"num":0}}]`) + frame(1, "\x04\x01\x02")
		a := c.do(http.MethodPost, c.target, body, "Content-Type", "application/octet-stream")
		assert.Equal(t, http.StatusOK, a.status)
		packets := c.poll()
		require.Len(t, packets, 1)
		assert.Contains(t, packets[0], `433[{"ok":false,"error":{"code":"INVALID_PAYLOAD"`)
		assert.Equal(t, []string{emoji}, k.chat.contents())
	})

	bubble(t, "a request that is too large is refused, and the session goes on", func(t *testing.T) {
		k := newKit(t)
		c := k.newPolling()
		assert.Equal(t, http.StatusRequestEntityTooLarge, c.post(send(strings.Repeat("x", 100_000))).status)
		assert.Equal(t, http.StatusOK, c.post(send("x")).status)
	})

	bubble(t, "a PUT is refused", func(t *testing.T) {
		c := newKit(t).newPolling()
		assert.Equal(t, http.StatusInternalServerError, c.do(http.MethodPut, c.target, "").status)
	})
}

func TestHub(t *testing.T) {
	bubble(t, "the hub sends events to the sessions that are here, in ASCII and in order", func(t *testing.T) {
		k := newKit(t)
		c, ws, other := k.newPolling(), k.newSocket(), k.newSocket()
		to := []domain.SessionID{"stranger", c.id, other.id, ws.id}
		for _, content := range []string{"first", emoji, "last"} {
			k.hub.Broadcast(to, other.id, message(content))
		}
		k.hub.Broadcast([]domain.SessionID{"stranger"}, "", message("to nobody"))
		polled := c.poll()
		require.Len(t, polled, 3, "a poll takes all that there is")
		for i, want := range []string{"first", emoji, "last"} {
			assert.Equal(t, want, content(t, polled[i]))
			assert.Equal(t, polled[i], ws.read())
			assert.NotRegexp(t, `[^ -~]`, polled[i])
		}
		k.broadcast(other.id, message("for the other"))
		assert.Equal(t, "for the other", content(t, other.read()))
	})

	bubble(t, "an event wakes a waiting poll", func(t *testing.T) {
		k := newKit(t)
		c := k.newPolling()
		answers, _ := c.polls()
		k.broadcast(c.id, typing("bob"))
		packets := decode(t, (<-answers).body)
		require.Len(t, packets, 1)
		assert.Contains(t, packets[0], `42["typing",{`)
	})

	bubble(t, "the hub forgets sessions that have ended", func(t *testing.T) {
		k := newKit(t)
		ws := k.newSocket()
		ws.write("41")
		synctest.Wait()
		k.broadcast(ws.id, message("too late"))
		ws.hangsUp()
	})

	bubble(t, "an ack comes before what is sent after it", func(t *testing.T) {
		k := newKit(t)
		ws := k.newSocket()
		k.chat.onTyping = func(id domain.SessionID) { k.broadcast(id, message("before the ack")) }
		for range 50 {
			ws.write(`425["typing",{"conversationId":"c","isTyping":true}]`)
			assert.Equal(t, "before the ack", content(t, ws.read()))
			assert.Equal(t, `435[{"ok":true}]`, ws.read())
		}
	})
}

func TestEvents_confirmed(t *testing.T) {
	bubble(t, "a confirmed message is acked with the id of its delivery", func(t *testing.T) {
		k := newKit(t)
		c, ws := k.newPolling(), k.newSocket()
		for _, to := range k.chat.open() {
			k.broadcast(to, domain.MessageSent{
				Message: domain.Message{Draft: domain.Draft{Conversation: "c", User: "bob", Content: "x"}}, Delivery: 7,
			})
		}
		assert.Regexp(t, `^427\["message",`, ws.read())
		assert.Regexp(t, `^427\["message",`, c.poll()[0])
		ws.write(`437[]`)
		c.post(`437["ok"]`)
		synctest.Wait()
		assert.Equal(t, []domain.DeliveryID{7, 7}, k.chat.confirmations())
	})
}

func TestHub_Disconnect(t *testing.T) {
	bubble(t, "a disconnected client is told so, and the others are left alone", func(t *testing.T) {
		k := newKit(t)
		ws := k.newSocket()
		k.hub.Disconnect("nobody", ws.id)
		assert.Equal(t, "41", ws.read())
		time.Sleep(time.Minute)
		ws.hangsUp()
		assert.Equal(t, []ports.Departure{ports.Left}, k.chat.departures())
	})
}

func TestHub_Disconnect_at_once(t *testing.T) {
	bubble(t, "Disconnect reaches a session that is just being opened", func(t *testing.T) {
		k := newKit(t)
		k.chat.opening = func(id domain.SessionID) { k.hub.Disconnect(id) }
		c, err := k.dial(webSocket, auth...)
		require.NoError(t, err)
		c.sid = opened(k, c.read())
		assert.Equal(t, "41", c.read())
		time.Sleep(time.Minute)
		c.hangsUp()
		assert.Equal(t, []ports.Departure{ports.Left}, k.chat.departures())
		assert.Empty(t, k.chat.open())
	})
}
