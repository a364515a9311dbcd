package domain_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
)

func chunk(index int, delta string) domain.Chunk { return domain.Chunk{Index: index, Delta: delta} }

func TestStream(t *testing.T) {
	draft := domain.Draft{Conversation: "talk", User: "coach", ID: "m1", Metadata: []byte(`{}`)}
	t.Run("chunks in order make the content", func(t *testing.T) {
		s := domain.NewStream(draft)
		assert.Empty(t, s.Chunks())
		for i, delta := range []string{"so ", "it ", "gröws"} {
			assert.Equal(t, i, s.Next())
			appended, err := s.Append(chunk(i, delta), 100)
			require.NoError(t, err)
			assert.True(t, appended)
		}
		assert.Equal(t, []domain.Chunk{chunk(0, "so "), chunk(1, "it "), chunk(2, "gröws")}, s.Chunks())
		want := draft
		want.Content = "so it gröws"
		assert.Equal(t, want, s.Complete())
		assert.Empty(t, s.Draft.Content)
	})
	t.Run("a repeat changes nothing, whatever the limit", func(t *testing.T) {
		s := domain.NewStream(draft)
		for i, delta := range []string{"aa", "bb"} {
			_, err := s.Append(chunk(i, delta), 4)
			require.NoError(t, err)
		}
		size := s.Size()
		for i, delta := range []string{"aa", "bb"} {
			appended, err := s.Append(chunk(i, delta), 4)
			require.NoError(t, err)
			assert.False(t, appended)
		}
		assert.Equal(t, 2, s.Next())
		assert.Equal(t, size, s.Size())
		assert.Equal(t, "aabb", s.Complete().Content)
	})
	for name, c := range map[string]struct {
		chunk domain.Chunk
		code  domain.Code
	}{
		"an index below 0":             {chunk(-1, "x"), domain.CodeInvalidPayload},
		"an index that leaves out one": {chunk(3, "x"), domain.CodeConflict},
		"a repeat with another text":   {chunk(0, "xx"), domain.CodeConflict},
		"a repeat with less":           {chunk(1, "b"), domain.CodeConflict},
		"a repeat with two in one":     {chunk(0, "aabb"), domain.CodeConflict},
		"no text":                      {chunk(2, ""), domain.CodeInvalidPayload},
		"what is not UTF-8":            {chunk(2, "\xff"), domain.CodeInvalidPayload},
		"a byte too much":              {chunk(2, "1234567"), domain.CodePayloadTooLarge},
	} {
		t.Run("refused without a trace: "+name, func(t *testing.T) {
			s := domain.NewStream(draft)
			for i, delta := range []string{"aa", "bb"} {
				_, err := s.Append(chunk(i, delta), 10)
				require.NoError(t, err)
			}
			appended, err := s.Append(c.chunk, 10)
			require.Error(t, err)
			assert.False(t, appended)
			assert.Equal(t, c.code, domain.AsError(err).Code)
			assert.Equal(t, "aabb", s.Complete().Content)
			_, err = s.Append(chunk(2, "123456"), 10)
			require.NoError(t, err, "as many as fit")
		})
	}
	t.Run("the number of chunks is bounded, and their places take little", func(t *testing.T) {
		s := domain.NewStream(draft)
		var err error
		for i := 0; err == nil && i < 100_000; i++ {
			_, err = s.Append(chunk(i, "x"), 0)
		}
		require.Error(t, err)
		assert.Equal(t, domain.CodeLimitExceeded, domain.AsError(err).Code)
		assert.Equal(t, 16_384, s.Next())
		assert.Less(t, s.Size(), 16_384*25)
	})
	t.Run("what was handed out does not change", func(t *testing.T) {
		s := domain.NewStream(draft)
		_, err := s.Append(chunk(0, "first"), 0)
		require.NoError(t, err)
		chunks, whole := s.Chunks(), s.Complete()
		chunks[0].Delta += " spoilt"
		for i := range 100 {
			_, err := s.Append(chunk(i+1, "more"), 0)
			require.NoError(t, err)
		}
		assert.Equal(t, "first", whole.Content)
		assert.Equal(t, chunk(0, "first"), s.Chunks()[0])
	})
}

// TestStream_property compares streams with a slice of strings.
func TestStream_property(t *testing.T) {
	const maxContent = 300
	for _, seed := range seeds() {
		t.Run(fmt.Sprintf("-domain.seed=%d", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			for range 20 {
				s := domain.NewStream(domain.Draft{})
				var model []string
				for range 100 {
					index := random.IntN(len(model)+3) - 1
					delta := strings.Repeat(string(rune('a'+random.IntN(2))), random.IntN(12))
					whole := strings.Join(model, "")
					appended, err := s.Append(chunk(index, delta), maxContent)
					switch {
					case index >= 0 && index < len(model):
						require.Equal(t, model[index] == delta, err == nil)
						require.False(t, appended)
					case index == len(model) && delta != "" && len(whole)+len(delta) <= maxContent:
						require.NoError(t, err)
						require.True(t, appended)
						model = append(model, delta)
						whole += delta
					default:
						require.Error(t, err)
						require.False(t, appended)
					}
					require.Equal(t, len(model), s.Next())
					require.Equal(t, whole, s.Complete().Content)
					require.GreaterOrEqual(t, s.Size(), len(whole))
				}
				for i, c := range s.Chunks() {
					require.Equal(t, chunk(i, model[i]), c)
				}
			}
		})
	}
}
