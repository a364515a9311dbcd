package bootstrap_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "parley"

// goPackage is what `go list` says of a package.
type goPackage struct {
	ImportPath   string
	Doc          string
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Deps         []string
}

// rule says what certain packages may not import, and why.
type rule struct {
	name string
	// of selects the packages that the rule is about, by their path below the module: "" for the program itself.
	of func(path string) bool
	// imports returns the imports that the rule looks at: direct, deps or all.
	imports func(p goPackage) []string
	// forbids reports whether the package at the path must not have the import.
	forbids func(path, imported string) bool
	// reason is why; it ends the failure's text.
	reason string
}

// rules is the dependency table of ARCHITECTURE.md.
var rules = []rule{
	{
		name:    "domain imports the standard library only",
		of:      is("domain"),
		imports: direct,
		forbids: func(_, imported string) bool { return !standard(imported) },
		reason:  "the rules of the chat must hold, and be tested, without any tool; what they need is passed in",
	},
	{
		name:    "ports imports domain only",
		of:      is("ports"),
		imports: direct,
		forbids: func(_, imported string) bool { return !standard(imported) && !ours(imported, "domain") },
		reason:  "a contract that names a tool binds every adapter to it",
	},
	{
		name:    "application imports domain, ports and google/uuid only",
		of:      is("application"),
		imports: direct,
		forbids: func(_, imported string) bool {
			return !standard(imported) && !ours(imported, "domain", "ports") && imported != "github.com/google/uuid"
		},
		reason: "a use case that knows its transport or its store cannot be given another; put a port in between",
	},
	{
		name:    "domain and application do not encode",
		of:      is("domain", "application"),
		imports: direct,
		forbids: func(_, imported string) bool { return strings.HasPrefix(imported, "encoding/") },
		reason:  "the wire contract changes apart from the model; encoding is the adapters' business",
	},
	{
		name:    "adapters do not import each other",
		of:      below("adapters"),
		imports: direct,
		forbids: func(path, imported string) bool {
			return ours(imported, "adapters/...") && technology(path) != technology(local(imported))
		},
		reason: "each must be replaceable alone; what two of them share belongs to a port or to bootstrap",
	},
	{
		name:    "adapters do not import application or bootstrap",
		of:      below("adapters"),
		imports: direct,
		forbids: func(_, imported string) bool {
			return ours(imported, "application", "application/...", "bootstrap", "bootstrap/...")
		},
		reason: "adapters call the application through the ports, and bootstrap alone knows who is who",
	},
	{
		name:    "engineio knows neither Socket.IO nor the chat",
		of:      within("adapters/socketio/engineio"),
		imports: deps,
		forbids: func(path, imported string) bool {
			return ours(imported, "...") && !within("adapters/socketio/engineio")(local(imported))
		},
		reason: "it is a library in its own right, for any protocol over Engine.IO",
	},
	{
		name:    "sio knows nothing of the chat",
		of:      within("adapters/socketio/sio"),
		imports: deps,
		forbids: func(path, imported string) bool {
			return ours(imported, "...") && !within("adapters/socketio/sio", "adapters/socketio/engineio")(local(imported))
		},
		reason: "it is a library in its own right, for any Socket.IO server",
	},
	{
		name:    "only bootstrap imports fx",
		of:      func(path string) bool { return !within("bootstrap")(path) },
		imports: all,
		forbids: func(_, imported string) bool {
			return imported == "go.uber.org/fx" || strings.HasPrefix(imported, "go.uber.org/fx/") || imported == "go.uber.org/dig"
		},
		reason: "everything else is plain constructors, usable without a container",
	},
	{
		name:    "googollee/go-socket.io is in legacy only",
		of:      func(path string) bool { return !within("adapters/socketio/legacy")(path) },
		imports: all,
		forbids: func(_, imported string) bool { return strings.HasPrefix(imported, "github.com/googollee/") },
		reason:  "it is archived and speaks the old protocol only; its types may not spread",
	},
	{
		name:    "only bootstrap imports legacy",
		of:      func(path string) bool { return !within("adapters/socketio/legacy", "bootstrap")(path) },
		imports: all,
		forbids: func(_, imported string) bool { return ours(imported, "adapters/socketio/legacy") },
		reason:  "old clients stand beside the others, behind the same ports; what both need is in package socketio",
	},
	{
		name:    "legacy imports no more of the library than its engine",
		of:      is("adapters/socketio/legacy"),
		imports: deps,
		forbids: func(_, imported string) bool {
			return imported == "github.com/googollee/go-socket.io" || imported == "github.com/googollee/go-socket.io/parser"
		},
		reason: "one packet can end a process that decodes with the library's parser; see the package comment",
	},
	{
		name:    "mocks are for tests",
		of:      func(path string) bool { return path != "mocks" },
		imports: direct,
		forbids: func(_, imported string) bool { return ours(imported, "mocks") || imported == "go.uber.org/mock/gomock" },
		reason:  "a mock in the program is a missing adapter",
	},
	{
		name:    "test tools are for tests and contract suites",
		of:      func(path string) bool { return path != "mocks" && path != "ports/portstest" && !within("test")(path) },
		imports: direct,
		forbids: func(_, imported string) bool {
			return imported == "testing" || strings.HasPrefix(imported, "github.com/stretchr/testify") || ours(imported, "ports/portstest")
		},
		reason: "they would be linked into the program",
	},
}

func TestArchitecture(t *testing.T) {
	packages := listPackages(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, p := range packages {
				path := local(p.ImportPath)
				if !r.of(path) {
					continue
				}
				for _, imported := range r.imports(p) {
					if r.forbids(path, imported) {
						t.Errorf("%s imports %s: %s", p.ImportPath, imported, r.reason)
					}
				}
			}
		})
	}
	t.Run("every package says what it is for", func(t *testing.T) {
		for _, p := range packages {
			if len(p.GoFiles) > 0 {
				assert.NotEmpty(t, p.Doc, "%s has no package comment: a reader would have to guess its one idea", p.ImportPath)
			}
		}
	})
}

// TestArchitecture_rules proves that each rule can fail: it must forbid one import and allow another.
func TestArchitecture_rules(t *testing.T) {
	tests := map[string]struct{ path, bad, good string }{
		"domain imports the standard library only":               {"domain", "github.com/google/uuid", "time"},
		"ports imports domain only":                              {"ports", "parley/application", "parley/domain"},
		"application imports domain, ports and google/uuid only": {"application", "parley/adapters/memory", "parley/ports"},
		"domain and application do not encode":                   {"application", "encoding/json", "log/slog"},
		"adapters do not import each other":                      {"adapters/httpapi", "parley/adapters/memory", "parley/adapters/httpapi/web"},
		"adapters do not import application or bootstrap":        {"adapters/memory", "parley/application", "parley/ports"},
		"engineio knows neither Socket.IO nor the chat":          {"adapters/socketio/engineio", "parley/adapters/socketio/sio", "parley/adapters/socketio/engineio/websocket"},
		"sio knows nothing of the chat":                          {"adapters/socketio/sio", "parley/domain", "parley/adapters/socketio/engineio"},
		"only bootstrap imports fx":                              {"adapters/memory", "go.uber.org/fx", "go.uber.org/goleak"},
		"googollee/go-socket.io is in legacy only":               {"adapters/socketio", "github.com/googollee/go-socket.io", "parley/adapters/socketio/legacy"},
		"only bootstrap imports legacy":                          {"adapters/socketio", "parley/adapters/socketio/legacy", "parley/adapters/socketio/sio"},
		"legacy imports no more of the library than its engine":  {"adapters/socketio/legacy", "github.com/googollee/go-socket.io", "github.com/googollee/go-socket.io/engineio"},
		"mocks are for tests":                                    {"bootstrap", "parley/mocks", "parley/domain"},
		"test tools are for tests and contract suites":           {"adapters/memory", "github.com/stretchr/testify/assert", "sync"},
	}
	require.Len(t, tests, len(rules))
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			test, found := tests[r.name]
			require.True(t, found)
			assert.True(t, r.of(test.path))
			assert.True(t, r.forbids(test.path, test.bad), "%s may import %s", test.path, test.bad)
			assert.False(t, r.forbids(test.path, test.good), "%s may not import %s", test.path, test.good)
			p := goPackage{ImportPath: module + "/" + test.path, Imports: []string{test.bad}, Deps: []string{test.bad}}
			assert.Contains(t, r.imports(p), test.bad)
			assert.NotEmpty(t, r.reason)
		})
	}
}

// listPackages returns the module's packages. One that does not build is listed with what is known of it, because its own
// tests fail already.
func listPackages(t *testing.T) []goPackage {
	t.Helper()
	fields := "-json=ImportPath,Doc,GoFiles,Imports,TestImports,XTestImports,Deps"
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", fields, "./...")
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())

	var packages []goPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		packages = append(packages, p)
	}
	require.Contains(t, paths(packages), module+"/domain", "the listing is not of this module")
	return packages
}

// direct returns what the package itself imports, tests aside.
func direct(p goPackage) []string { return p.Imports }

// deps returns everything that the package imports, directly or through others, tests aside.
func deps(p goPackage) []string { return p.Deps }

// all returns what the package and its tests import themselves.
func all(p goPackage) []string { return slices.Concat(p.Imports, p.TestImports, p.XTestImports) }

// local returns the path below the module, "" for the module's root.
func local(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/")
}

// ours reports whether the import is one of the given packages of this module. A pattern that ends in "..." means every
// package below.
func ours(importPath string, patterns ...string) bool {
	if importPath != module && !strings.HasPrefix(importPath, module+"/") {
		return false
	}
	path := local(importPath)
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if parent, tree := strings.CutSuffix(pattern, "..."); tree {
			return strings.HasPrefix(path, parent) && path != ""
		}
		return path == pattern
	})
}

// technology returns the adapter that a package belongs to.
func technology(path string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "adapters/"), "/")
	return name
}

func is(paths ...string) func(string) bool {
	return func(path string) bool { return slices.Contains(paths, path) }
}

func below(parent string) func(string) bool {
	return func(path string) bool { return strings.HasPrefix(path, parent+"/") }
}

func within(parents ...string) func(string) bool {
	return func(path string) bool {
		return slices.ContainsFunc(parents, func(parent string) bool { return path == parent || below(parent)(path) })
	}
}

// standard reports whether the import is of the standard library: its first element has no dot, as hosts have.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".") && first != module
}

func paths(packages []goPackage) []string {
	var all []string
	for _, p := range packages {
		all = append(all, p.ImportPath)
	}
	return all
}
