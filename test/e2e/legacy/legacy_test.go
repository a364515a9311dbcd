package legacy_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"parley/bootstrap"
	"parley/test/internal/command"
	"parley/test/internal/npm"
)

const (
	secret = "a secret that only this test knows, long enough"
	js     = "../js-legacy"
	// runTime bounds the run of all JavaScript tests.
	runTime = 5 * time.Minute
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestClients(t *testing.T) {
	npm.Install(t, js)
	app := start(t, map[string]string{
		"LEGACY_CLIENTS": "1", "ALLOW_QUERY_TOKEN": "1", "PRESENCE_GRACE": "3s", "ADMIN_ADDR": "127.0.0.1:0",
		"PING_INTERVAL": "5s", "PING_TIMEOUT": "10s",
	})
	impatient := start(t, map[string]string{"LEGACY_CLIENTS": "1", "PING_INTERVAL": "300ms", "PING_TIMEOUT": "3s"})
	out, err := command.Run(runTime, js, []string{
		"PARLEY_URL=" + app.URL(), "IMPATIENT_URL=" + impatient.URL(), "JWT_SECRET=" + secret, "NO_COLOR=1",
	}, "npm", "test")
	t.Log(out)
	require.NoError(t, err)
	require.Regexp(t, `(?m)^ℹ fail 0$`, out)
	require.NotRegexp(t, `(?m)^ℹ (tests|pass) 0$`, out, "no test was run")
	require.Regexp(t, `(?m)^ℹ skipped 0$`, out)
	// A session whose client was cut off between two polls ends by its heartbeat, after 15 seconds.
	for deadline := time.Now().Add(40 * time.Second); ; <-time.After(100 * time.Millisecond) {
		_, metrics := get(t, app.AdminURL()+"/metrics")
		if strings.Contains(metrics, "\nparley_connections 0\n") {
			break
		}
		require.True(t, time.Now().Before(deadline), "connections are left:\n%s", metrics)
	}
}

func TestOff(t *testing.T) {
	app := start(t, nil)
	for _, query := range []string{"EIO=3&transport=polling", "transport=polling"} {
		status, body := get(t, app.URL()+"/socket.io/?"+query)
		assert.Equal(t, http.StatusBadRequest, status)
		assert.JSONEq(t, `{"code": 5, "message": "Unsupported protocol version"}`, body, query)
	}
}

func TestVersions(t *testing.T) {
	app := start(t, map[string]string{"LEGACY_CLIENTS": "1"})
	for query, want := range map[string]string{
		"EIO=4&transport=polling": `^0\{"sid":`,
		"EIO=3&transport=polling": `^\d+:0\{"sid":`,
		"transport=polling":       `^\d+:0\{"sid":`,
		"EIO=2&transport=polling": `^\{"code":5,`,
	} {
		_, body := get(t, app.URL()+"/socket.io/?"+query)
		assert.Regexp(t, want, body, query)
	}
}

// start runs Parley until the test is over.
func start(t *testing.T, changes map[string]string) *bootstrap.App {
	t.Helper()
	variables := map[string]string{
		"HOST": "127.0.0.1", "PORT": "0", "ADMIN_ADDR": "off", "JWT_SECRET": secret, "DRAIN_TIME": "0s", "LOG_LEVEL": "warn",
	}
	for name, value := range changes {
		variables[name] = value
	}
	config, err := bootstrap.LoadConfig(variables)
	require.NoError(t, err)
	app, err := bootstrap.New(config, t.Output())
	require.NoError(t, err)
	require.NoError(t, app.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		assert.NoError(t, app.Stop(ctx))
	})
	return app
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}
