package sio_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReadme checks that the README's code is that of Example, which is compiled and run.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	require.NoError(t, err)
	source, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(readme), "## Use Parley as a library\n")
	require.True(t, found)
	_, code, found := strings.Cut(section, "```go\n")
	require.True(t, found)
	code, _, found = strings.Cut(code, "```")
	require.True(t, found)
	require.Contains(t, code, "sio.NewServer")
	for _, line := range strings.Split(strings.TrimSpace(code), "\n") {
		if line == "log.Fatal(server.ListenAndServe())" {
			line = "// " + line
		}
		if line != "" {
			assert.Contains(t, string(source), "\n\t"+line+"\n")
		}
	}
}
