package domain_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
)

func TestDraft_Check(t *testing.T) {
	tests := map[string]struct {
		content  string
		metadata []byte
		max      int
		want     domain.Code
	}{
		"text":                             {content: "hello", max: 5},
		"text in another script":           {content: "héé", max: 5},
		"one byte too many":                {content: "hello!", max: 5, want: domain.CodePayloadTooLarge},
		"bytes are counted, not letters":   {content: "hééé", max: 5, want: domain.CodePayloadTooLarge},
		"without a bound":                  {content: strings.Repeat("x", 1<<20)},
		"empty":                            {max: 5, want: domain.CodeInvalidPayload},
		"white space is content":           {content: " ", max: 5},
		"not UTF-8":                        {content: "a\xffb", max: 5, want: domain.CodeInvalidPayload},
		"half a surrogate pair":            {content: "\xed\xa0\x80", max: 5, want: domain.CodeInvalidPayload},
		"metadata up to its bound":         {content: "x", metadata: make([]byte, domain.MaxMetadata)},
		"metadata one byte over its bound": {content: "x", metadata: make([]byte, domain.MaxMetadata+1), want: domain.CodePayloadTooLarge},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := domain.Draft{Content: test.content, Metadata: test.metadata}.Check(test.max)
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			assert.Equal(t, test.want, domain.AsError(err).Code)
		})
	}
}
