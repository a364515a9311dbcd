package sio_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/socketio/sio"
)

var update = flag.Bool("update", false, "write the golden files anew; look at what has changed")

// script is what the client of the golden files sends: texts, each with its attachments.
var script = []struct {
	why         string
	text        string
	attachments [][]byte
}{
	{why: "CONNECT without credentials is refused", text: `40`},
	{why: "CONNECT to what is not there", text: `40/nowhere,`},
	{why: "CONNECT", text: `40{"token":"t"}`},
	{why: "CONNECT to another namespace", text: `40/files,{"token":"t"}`},
	{why: "an event that nobody handles", text: `42["nothing",1]`},
	{why: "an event with an ack", text: `420["echo",1,-1,1.5,"ä🎉\n",null,true,{"a":[{}]}]`},
	{why: "the same, without arguments, in another namespace", text: `42/files,9007199254740993["echo"]`},
	{why: "a number for a name", text: `421[42,"x"]`},
	{
		why:  "binary data both ways",
		text: `452-2["echo",{"b":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]`, attachments: [][]byte{{}, {1, 2}},
	},
	{why: "binary data in another namespace", text: `451-/files,3["echo",{"_placeholder":true,"num":0}]`, attachments: [][]byte{{0xff}}},
	{why: "the server emits", text: `42["emit"]`},
	{why: "the server asks", text: `42["ask"]`},
	{why: "an ack that nobody waits for", text: `4377["late"]`},
	{why: "the server ends a namespace", text: `42/files,["kick"]`},
	{why: "and the client comes back to it", text: `40/files,{"token":"t"}`},
	{why: "the client leaves", text: `41/files,`},
	{why: "and leaves the last one", text: `41`},
}

// scripted serves the script.
func scripted(io *sio.Server) {
	for _, name := range []string{"/", "/files"} {
		n := io.Of(name)
		n.Use(func(_ context.Context, c *sio.Connect) error {
			if string(c.Auth) != `{"token":"t"}` {
				return &sio.ConnectError{Message: "who are you?", Data: map[string]string{"code": "UNAUTHORIZED"}}
			}
			return nil
		})
		n.On("42", func(_ context.Context, e *sio.Event) { _ = e.Ack("a number") })
		n.On("kick", func(_ context.Context, e *sio.Event) { e.Socket.Disconnect() })
		n.On("emit", func(_ context.Context, e *sio.Event) {
			_ = e.Socket.Emit("text", "ä🎉<&>", 1, -33, 1.5, 1e21, nil, []any{true, map[string]any{}})
			_ = e.Socket.Emit("bytes", []byte{1, 2, 3}, map[string]any{"in": []byte{}})
			_ = e.Socket.EmitVolatile("volatile")
		})
		n.On("ask", func(_ context.Context, e *sio.Event) {
			_ = e.Socket.Ask(time.Minute, func(*sio.Reply, error) {}, "question", []byte{9})
		})
		n.On("echo", func(_ context.Context, e *sio.Event) {
			args, into := make([]any, len(e.Args)), make([]any, len(e.Args))
			for i := range into {
				into[i] = &args[i]
			}
			_ = e.Bind(into...)
			_ = e.Ack(args...)
		})
	}
}

// speaker is a client of either kind.
type speaker interface {
	send(text string, attachments [][]byte) (sent []string)
	pending() []string
}

type usualSpeaker struct{ *client }

func (s usualSpeaker) send(text string, attachments [][]byte) []string {
	s.client.send(text)
	sent := []string{text}
	for _, a := range attachments {
		s.sendBinary(a...)
		sent = append(sent, fmt.Sprintf("<%x>", a))
	}
	return sent
}

type packedSpeaker struct{ *client }

func (s packedSpeaker) send(text string, attachments [][]byte) []string {
	frame := frameOf(s.t, text, attachments...)
	s.sendBinary(frame...)
	return []string{fmt.Sprintf("<%x>", frame)}
}

// pending returns what has arrived.
func (c *client) pending() (all []string) {
	synctest.Wait()
	for {
		select {
		case m, ok := <-c.messages:
			require.True(c.t, ok, "the connection was closed")
			all = append(all, m)
		default:
			return all
		}
	}
}

// masks hide what differs from run to run: ids, offsets, and the ack ids of asks, which are counted for the whole process.
// The second of each pair is for msgpack, in hexadecimal.
var masks = []struct {
	find *regexp.Regexp
	put  string
}{
	{regexp.MustCompile(`("[sp]id":")[A-Za-z0-9_-]{20}`), "${1}xxxxxxxxxxxxxxxxxxxx"},
	{regexp.MustCompile(`(a3(?:736964|706964)b4)[0-9a-f]{40}`), "${1}" + strings.Repeat("78", 20)},
	{regexp.MustCompile(`"[0-9a-z]{10}"\]`), `"yyyyyyyyyy"]`},
	{regexp.MustCompile(`aa[0-9a-f]{20}a36e7370`), "aa" + strings.Repeat("79", 10) + "a36e7370"},
	{regexp.MustCompile(`^451-[0-9]+\["question`), `451-0["question`},
	{regexp.MustCompile(`(a87175657374696f6ec40109a26964)(?:[0-7].|cc..|cd....)(a36e7370a12f>)$`), "${1}00${2}"},
}

func masked(m string) string {
	for _, mask := range masks {
		m = mask.find.ReplaceAllString(m, mask.put)
	}
	return m
}

// transcript makes the client send the script and records both sides.
func transcript(t *testing.T, s speaker) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, line := range script {
		fmt.Fprintf(&out, "# %s\n", line.why)
		for _, m := range s.send(line.text, line.attachments) {
			fmt.Fprintf(&out, "> %s\n", m)
		}
		for _, m := range s.pending() {
			fmt.Fprintf(&out, "< %s\n", masked(m))
		}
	}
	return out.Bytes()
}

// TestGolden compares the bytes of a whole conversation, in both directions, with those on file: for each parser, with
// and without recovery. Bytes are in hexadecimal between angle brackets.
func TestGolden(t *testing.T) {
	for _, config := range []struct {
		file string
		sio.Config
	}{
		{"usual", sio.Config{}}, {"usual-recovery", recovering}, {"msgpack", packing}, {"msgpack-recovery", withMsgpack(recovering)},
	} {
		bubble(t, config.file, func(t *testing.T) {
			c := serve(t, config.Config, scripted).open()
			var s speaker = usualSpeaker{c}
			if config.Msgpack {
				s = packedSpeaker{c}
			}
			got := transcript(t, s)
			file := "testdata/" + config.file + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(file, got, 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got))
		})
	}
}

// TestGolden_agree checks that both parsers carry the same packets.
func TestGolden_agree(t *testing.T) {
	for _, recovery := range []string{"", "-recovery"} {
		usual, packed := readTranscript(t, "usual"+recovery), readTranscript(t, "msgpack"+recovery)
		for i, line := range packed {
			if direction, frame := line[:2], line[2:]; direction != "# " {
				packed[i] = direction + unpacked(t, frame)
			}
		}
		assert.Equal(t, usual, packed)
	}
}

// readTranscript reads a golden file, with attachments appended to their packets.
func readTranscript(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".golden")
	require.NoError(t, err)
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if strings.HasPrefix(name, "usual") && line[2] == '<' {
			lines[len(lines)-1] += line[2:]
			continue
		}
		lines = append(lines, line)
	}
	require.Greater(t, len(lines), 2*len(script))
	return lines
}
