package memory_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/memory"
	"parley/domain"
)

func TestLog_Flood(t *testing.T) {
	t.Run("a sender who fills the log costs the others history, but they can still send", func(t *testing.T) {
		log := memory.NewLog(memory.LogConfig{MaxTotal: 2 << 20})
		now := time.Now()
		content := strings.Repeat("x", 10<<10)
		for i := range 2000 {
			now = now.Add(time.Millisecond)
			c := domain.ConversationID(fmt.Sprintf("flood-%d", i%20))
			_, _, err := log.Append(t.Context(), domain.Draft{Conversation: c, User: "mallory", ID: domain.MessageID(fmt.Sprint(i)), Content: content}, now)
			require.NoError(t, err)
			if i%100 != 0 {
				continue
			}
			m, _, err := log.Append(t.Context(), domain.Draft{Conversation: "quiet", User: "alice", ID: domain.MessageID(fmt.Sprint(i)), Content: "hello"}, now)
			require.NoError(t, err, "after %d messages of the flood", i)
			assert.Equal(t, uint64(i/100+1), m.Seq)
		}
		head, err := log.Head(t.Context(), "flood-0")
		require.NoError(t, err)
		assert.Equal(t, uint64(100), head.Seq, "what is dropped keeps its place")
		_, gap, err := log.After(t.Context(), "flood-0", domain.Position{Epoch: head.Epoch})
		require.NoError(t, err)
		assert.Equal(t, "trimmed", gap)
	})
}
