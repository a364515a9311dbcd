package domain_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
)

func TestAsError(t *testing.T) {
	refusal := domain.Errorf(domain.CodeForbidden, "not %s", "here")

	t.Run("a refusal is found in a chain", func(t *testing.T) {
		assert.Same(t, refusal, domain.AsError(refusal))
		assert.Same(t, refusal, domain.AsError(fmt.Errorf("while joining: %w", refusal)))
		assert.Same(t, refusal, domain.AsError(errors.Join(errors.New("other"), refusal)))
	})
	t.Run("anything else is internal, and its text stays inside", func(t *testing.T) {
		e := domain.AsError(errors.New("dial tcp 10.0.0.7:6379: refused"))
		assert.Equal(t, domain.CodeInternal, e.Code)
		assert.NotContains(t, e.Error(), "6379")
	})
	t.Run("the text begins with the code", func(t *testing.T) {
		assert.Equal(t, "FORBIDDEN: not here", refusal.Error())
	})
}

// TestCodes reads the source: a code that is added but not listed would be missing in every
// transport's table without a test noticing.
func TestCodes(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	require.NoError(t, err)
	var declared []domain.Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Code" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			declared = append(declared, domain.Code(value))
		}
		return true
	})
	require.NotEmpty(t, declared)
	assert.ElementsMatch(t, declared, domain.Codes())
}
