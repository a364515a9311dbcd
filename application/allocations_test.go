package application_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/ports"
)

func TestChat_allocates_nothing_per_recipient(t *testing.T) {
	message := ports.Send{Conversation: talk, Content: "a message of a usual length"}
	for what, do := range map[string]func(c ports.Chat) error{
		"a message": func(c ports.Chat) error {
			_, err := c.Send(context.Background(), session(0), message)
			return err
		},
		"typing": func(c ports.Chat) error { return c.Typing(context.Background(), session(0), talk, true) },
	} {
		t.Run(what+" allocates nothing per recipient", func(t *testing.T) {
			allocations := func(recipients int) float64 {
				c := crowded(t, recipients)
				return testing.AllocsPerRun(100, func() { require.NoError(t, do(c)) })
			}
			few, many := allocations(10), allocations(1000)
			assert.Less(t, many-few, 0.01*990)
		})
	}
}
