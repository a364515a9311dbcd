// Package npm installs the packages that tests in JavaScript need.
package npm

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/test/internal/command"
)

// installTime bounds the installation of a folder's packages, which may come over a slow network.
const installTime = 5 * time.Minute

// installs remembers which folders are ready in this run.
var installs struct {
	sync.Mutex
	ready map[string]bool
}

// Install makes sure that the folder's packages are installed as its lock file says. The test fails if they cannot be,
// or without Node.js and npm; it is not skipped, because a skipped test hides what is broken.
func Install(t *testing.T, folder string) {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		_, err := exec.LookPath(program)
		require.NoError(t, err, "these tests need %s: install Node.js 20 or later", program)
	}
	installs.Lock()
	defer installs.Unlock()
	if installs.ready[folder] {
		return
	}
	wanted := lockedPackages(t, filepath.Join(folder, "package-lock.json"))
	require.NotEmpty(t, wanted)
	// npm writes down what it has installed in a lock file of its own.
	if installed := lockedPackages(t, filepath.Join(folder, "node_modules", ".package-lock.json")); !includes(installed, wanted) {
		output, err := command.Run(installTime, folder, nil, "npm", "ci")
		require.NoError(t, err, "the packages of %s were not installed:\n%s", folder, output)
	}
	if installs.ready == nil {
		installs.ready = map[string]bool{}
	}
	installs.ready[folder] = true
}

// locked is what a lock file says of one package.
type locked struct {
	Version   string `json:"version"`
	Integrity string `json:"integrity"`
	Optional  bool   `json:"optional"`
}

// lockedPackages reads a lock file; one that does not exist locks nothing.
func lockedPackages(t *testing.T, file string) map[string]locked {
	t.Helper()
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	var lock struct {
		Packages map[string]locked `json:"packages"`
	}
	require.NoError(t, json.Unmarshal(text, &lock), file)
	delete(lock.Packages, "") // the folder itself
	return lock.Packages
}

// includes reports whether every wanted package is installed, except for optional ones of other platforms.
func includes(installed, wanted map[string]locked) bool {
	for name, want := range wanted {
		got, ok := installed[name]
		if ok && got == want || !ok && want.Optional {
			continue
		}
		return false
	}
	return true
}
