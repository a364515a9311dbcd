package conformance_test

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/bootstrap"
	"parley/test/conformance/fixture"
	"parley/test/internal/command"
	"parley/test/internal/npm"
)

const (
	// secret signs the tokens of the chat.
	secret = "a secret that only this test knows, long enough"
	// runTime bounds one suite against one server. stopTime bounds the stop of a server, which waits ten seconds for
	// clients that polled and never came back.
	runTime, stopTime = 4 * time.Minute, 30 * time.Second
)

// TestOfficialClients runs every case with every version of the official client over every transport, against the
// reference server and against Parley.
func TestOfficialClients(t *testing.T) {
	lookAt(t, "js", "../e2e/js", "../e2e/js-legacy")
	npm.Install(t, "js")
	reference := command.Start(t, "js", []string{"JWT_SECRET=" + secret}, "node", "reference/server.mjs")
	columns := []column{
		{"fixture", "Node", reference},
		{"fixture", "Parley", startFixture(t)},
		{"chat", "Node", reference},
		{"chat", "Parley", startParley(t)},
	}
	var running sync.WaitGroup
	results := make([][]result, len(columns))
	for i, c := range columns {
		running.Go(func() { results[i] = c.run(t) })
	}
	running.Wait()
	table := newTable()
	for i, c := range columns {
		table.add(c.server, results[i])
	}
	t.Logf("\n%s", table)
	for _, failure := range table.failures() {
		t.Error(failure)
	}
	require.Greater(t, len(table.rows), 400, "cases are missing")
}

// lookAt stats every script in the folders. Go caches a test's result until a file that the test process itself has
// opened or statted changes, and the scripts are read by Node.js.
func lookAt(t *testing.T, folders ...string) {
	t.Helper()
	for _, folder := range folders {
		require.NoError(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.Name() == "node_modules":
				return fs.SkipDir
			case filepath.Ext(path) == ".mjs":
				_, err = os.Stat(path)
			}
			return err
		}))
	}
}

// startFixture serves the fixture until the test is over.
func startFixture(t *testing.T) (url string) {
	t.Helper()
	f := fixture.New(slog.New(slog.NewTextHandler(t.Output(), nil)))
	server := httptest.NewServer(f)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		assert.NoError(t, f.Shutdown(ctx))
		server.Close()
	})
	return server.URL
}

// startParley runs Parley with its chat until the test is over.
func startParley(t *testing.T) (url string) {
	t.Helper()
	config, err := bootstrap.LoadConfig(map[string]string{
		"HOST": "127.0.0.1", "PORT": "0", "ADMIN_ADDR": "off", "JWT_SECRET": secret, "DRAIN_TIME": "0s", "LOG_LEVEL": "warn",
		"LEGACY_CLIENTS": "1", "ALLOW_QUERY_TOKEN": "1", "PING_INTERVAL": "5s", "PING_TIMEOUT": "10s", "PRESENCE_GRACE": "0s",
	})
	require.NoError(t, err)
	app, err := bootstrap.New(config, t.Output())
	require.NoError(t, err)
	require.NoError(t, app.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		assert.NoError(t, app.Stop(ctx))
	})
	return app.URL()
}
