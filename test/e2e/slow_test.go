package e2e_test

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	// outboxBytes is OUTBOX_BYTES here: how much a server keeps for a client that does not read.
	outboxBytes = 256 << 10
	// messageBytes is the size of the messages that flood the room.
	messageBytes = 32 << 10
	// inTime is how long a message may take to a client that reads, on a busy machine. It is well under the ten seconds
	// of the write timeout, which a server that waited for a slow client would spend.
	inTime = 5 * time.Second
)

// flood sends at most atMost messages to the lobby, one after the other, until the witness is told that a member has
// left. Each message must reach the witness within inTime.
func flood(t *testing.T, sender, witness *raw, atMost int) {
	t.Helper()
	content := strings.Repeat("x", messageBytes)
	for sent := range atMost {
		start := time.Now()
		answer, err := sender.say("lobby", content)
		require.NoError(t, err)
		require.True(t, answer.OK)
		for {
			packet, err := witness.read()
			require.NoError(t, err)
			if strings.HasPrefix(packet, `42["user_left",`) {
				return
			}
			if strings.HasPrefix(packet, `42["message",`) {
				break
			}
		}
		require.Less(t, time.Since(start), inTime, "message %d was held up", sent)
	}
	require.Fail(t, "the client that does not read is still there", "%d messages of %d bytes", atMost, messageBytes)
}

func TestSlowClients(t *testing.T) {
	t.Parallel()
	variables := map[string]string{"OUTBOX_BYTES": strconv.Itoa(outboxBytes), "PRESENCE_GRACE": "0s"}

	t.Run("a WebSocket that is not read is let go, and nobody else waits", func(t *testing.T) {
		s := boot(t, variables)
		sender, witness := s.connect(t, "sender", "lobby"), s.connect(t, "witness", "lobby")
		slow, err := dial(s.app.URL(), &net.Dialer{Timeout: patience, Control: smallReceiveBuffer})
		require.NoError(t, err)
		t.Cleanup(slow.close)
		require.NoError(t, slow.enter(tokenFor(t, "slow")))
		answer, err := slow.ask("join_conversation", "lobby")
		require.NoError(t, err)
		require.True(t, answer.OK)

		// One outbox may be in the middle of being written and another one waiting; the rest is in the kernel's buffers.
		const kernel = 6 << 20
		flood(t, sender, witness, (2*outboxBytes+kernel)/messageBytes)
		s.waitForConnections(t, 2, patience)
		_, err = slow.ended()
		assert.NoError(t, err)
	})

	t.Run("a session that is not polled is let go when its outbox is full, not later", func(t *testing.T) {
		s := boot(t, variables)
		sender, witness := s.connect(t, "sender", "lobby"), s.connect(t, "witness", "lobby")
		slow := s.connectPolling(t, "slow", "lobby")
		content := strings.Repeat("x", messageBytes)
		for range outboxBytes/messageBytes - 1 {
			_, err := sender.say("lobby", content)
			require.NoError(t, err)
		}
		require.Equal(t, 3, s.connections(t), "that much may wait")
		_, err := sender.say("lobby", content)
		require.NoError(t, err)
		require.Equal(t, 2, s.connections(t), "more may not")
		_, err = witness.readUntil(`42["user_left",`)
		require.NoError(t, err)
		slow.over(t)
	})

	t.Run("typing signs are left out for one who does not read, and cost nobody the session", func(t *testing.T) {
		s := boot(t, variables)
		sender, witness := s.connect(t, "sender", "lobby"), s.connect(t, "witness", "lobby")
		slow := s.connectPolling(t, "slow", "lobby")
		for range 3 * outboxBytes / 100 {
			require.NoError(t, sender.write(`42["typing",{"conversationId":"lobby","isTyping":true}]`))
		}
		for range 3 {
			answer, err := sender.say("lobby", "worth more than a typing sign")
			require.NoError(t, err)
			require.True(t, answer.OK)
		}
		_, err := witness.readUntil(`42["message",`)
		require.NoError(t, err)
		assert.Equal(t, 3, strings.Count(slow.poll(t), `42["message",`))
		s.waitForConnections(t, 3, patience)
	})
}

// TestLargeReplay: a client that missed much asks for several conversations at once, as clients do after a reconnect.
// The answers together exceed the outbox. The server must not drop the client for that: it would reconnect and ask for
// the same again, without end.
func TestLargeReplay(t *testing.T) {
	t.Parallel()
	s := boot(t, map[string]string{"OUTBOX_BYTES": strconv.Itoa(outboxBytes)})
	conversations := []string{"one", "two", "three", "four"}
	sender := s.connect(t, "sender", conversations...)
	const missed = outboxBytes / messageBytes / 2
	var joins []string
	for i, conversation := range conversations {
		position, err := sender.ask("join_conversation", conversation)
		require.NoError(t, err)
		for range missed {
			_, err := sender.say(conversation, strings.Repeat("x", messageBytes))
			require.NoError(t, err)
		}
		joins = append(joins, fmt.Sprintf(`42%d["join_conversation",{"conversationId":%q,"after":{"epoch":%q,"seq":0}}]`, i, conversation, position.Epoch))
	}

	late := s.connectPolling(t, "late")
	late.accepted(t, strings.Join(joins, "\x1e"))
	var answers string
	for strings.Count(answers, `"recovered":true`) < len(conversations) {
		answers += late.poll(t)
	}
	assert.Equal(t, len(conversations)*missed, strings.Count(answers, `{"type":"message"`))
}

// smallReceiveBuffer keeps the kernel from buffering megabytes for a client that does not read.
func smallReceiveBuffer(_, _ string, conn syscall.RawConn) error {
	var err error
	if controlErr := conn.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10)
	}); controlErr != nil {
		return controlErr
	}
	return err
}
