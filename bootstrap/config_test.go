package bootstrap_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/bootstrap"
	"parley/domain"
)

const secret = "0123456789abcdef0123456789abcdef"

// load reads a configuration of a secret and the variables, each given as NAME=value.
func load(t *testing.T, variables ...string) bootstrap.Config {
	t.Helper()
	c, err := bootstrap.LoadConfig(environment(variables...))
	require.NoError(t, err)
	return c
}

func environment(variables ...string) map[string]string {
	all := map[string]string{"JWT_SECRET": secret}
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		all[name] = value
	}
	return all
}

func TestLoadConfig_Defaults(t *testing.T) {
	for name, c := range map[string]bootstrap.Config{
		"of variables that are not set": load(t),
		"of variables that are empty": load(t, "HOST=", "PORT=", "ADMIN_ADDR=", "LOG_LEVEL=", "LOG_FORMAT=", "ALLOWED_ORIGINS=",
			"JWT_SECRET_PREVIOUS=", "JWT_ISSUER=", "JWT_AUDIENCE=", "JWT_PUBLIC_KEY_FILE=", "JWKS_URL=", "ALLOW_QUERY_TOKEN=", "CONVERSATION_ACCESS=", "PING_INTERVAL=",
			"PING_TIMEOUT=", "CONNECT_TIMEOUT=", "PRESENCE_GRACE=", "DRAIN_TIME=", "MAX_PAYLOAD=", "MAX_CONTENT=", "OUTBOX_BYTES=",
			"MESSAGE_LOG=", "PARLEY_DEV="),
	} {
		t.Run(name, func(t *testing.T) {
			assert.Empty(t, c.Host)
			assert.EqualValues(t, 3000, c.Port)
			assert.EqualValues(t, "127.0.0.1:9464", c.AdminAddr)
			assert.EqualValues(t, slog.LevelInfo, c.LogLevel)
			assert.EqualValues(t, "json", c.LogFormat)
			assert.EqualValues(t, []string{"http://localhost:5173"}, c.AllowedOrigins)
			assert.Equal(t, secret, c.JWTSecret)
			assert.Empty(t, c.JWTSecretPrevious)
			assert.Empty(t, c.JWTIssuer)
			assert.Empty(t, c.JWTAudience)
			assert.False(t, c.AllowQueryToken)
			assert.EqualValues(t, domain.AccessClaims, c.Access)
			assert.EqualValues(t, 25*time.Second, c.PingInterval)
			assert.EqualValues(t, 60*time.Second, c.PingTimeout)
			assert.EqualValues(t, 10*time.Second, c.ConnectTimeout)
			assert.EqualValues(t, 10*time.Second, c.PresenceGrace)
			assert.EqualValues(t, 10*time.Second, c.DrainTime)
			assert.EqualValues(t, 1_000_000, c.MaxPayload)
			assert.EqualValues(t, 65_536, c.MaxContent)
			assert.EqualValues(t, 1<<20, c.OutboxBytes)
			assert.EqualValues(t, "memory", c.MessageLog)
			assert.False(t, c.Dev)
		})
	}
}

func TestLoadConfig_Values(t *testing.T) {
	c := load(t, "HOST=::1", "PORT=65535", "ADMIN_ADDR=[::1]:0", "LOG_LEVEL=debug", "LOG_FORMAT=text", "JWT_SECRET_PREVIOUS=old",
		"JWT_ISSUER=https://issuer.example.com", "JWT_AUDIENCE=parley", "ALLOW_QUERY_TOKEN=1", "CONVERSATION_ACCESS=authenticated",
		"PING_INTERVAL=1ms", "PING_TIMEOUT=1m30s", "CONNECT_TIMEOUT=1h", "PRESENCE_GRACE=500ms", "DRAIN_TIME=2s",
		"MAX_PAYLOAD=2147483647", "MAX_CONTENT=1", "OUTBOX_BYTES=2", "MESSAGE_LOG=memory", "PARLEY_DEV=0")
	assert.EqualValues(t, "::1", c.Host)
	assert.EqualValues(t, 65535, c.Port)
	assert.EqualValues(t, "[::1]:0", c.AdminAddr)
	assert.EqualValues(t, slog.LevelDebug, c.LogLevel)
	assert.EqualValues(t, "text", c.LogFormat)
	assert.Equal(t, "old", c.JWTSecretPrevious)
	assert.Equal(t, "https://issuer.example.com", c.JWTIssuer)
	assert.Equal(t, "parley", c.JWTAudience)
	assert.True(t, c.AllowQueryToken)
	assert.EqualValues(t, domain.AccessAuthenticated, c.Access)
	assert.EqualValues(t, time.Millisecond, c.PingInterval)
	assert.EqualValues(t, 90*time.Second, c.PingTimeout)
	assert.EqualValues(t, 500*time.Millisecond, c.PresenceGrace)
	assert.EqualValues(t, 2*time.Second, c.DrainTime)
	assert.EqualValues(t, 1, c.MaxContent)
	connect, payload, outbox := c.Limits()
	assert.Equal(t, time.Hour, connect)
	assert.Equal(t, 1<<31-1, payload)
	assert.Equal(t, 2, outbox)
	assert.False(t, c.Dev)
	for _, host := range []string{"0.0.0.0", "127.0.0.1", "localhost", "chat-1.example.com", "fe80::1%eth0"} {
		assert.EqualValues(t, host, load(t, "HOST="+host).Host)
	}
	for _, addr := range []string{"off", ":9464", "localhost:9464", "0.0.0.0:1"} {
		assert.EqualValues(t, addr, load(t, "ADMIN_ADDR="+addr).AdminAddr)
	}
}

func TestLoadConfig_ZeroSwitchesALimitOff(t *testing.T) {
	c := load(t, "CONNECT_TIMEOUT=0", "PRESENCE_GRACE=0", "DRAIN_TIME=0s", "MAX_PAYLOAD=0", "MAX_CONTENT=0", "OUTBOX_BYTES=0")
	connect, payload, outbox := c.Limits()
	assert.Equal(t, bootstrap.Never, connect)
	assert.Equal(t, bootstrap.Unbounded, payload)
	assert.Equal(t, bootstrap.Unbounded, outbox)
	assert.Zero(t, c.PresenceGrace)
	assert.Zero(t, c.DrainTime)
	assert.Zero(t, c.MaxContent)
}

// refused are values that are not allowed, by variable, with what the error must say is allowed.
var refused = map[string]struct {
	values  []string
	allowed string
}{
	"HOST": {
		[]string{"http://localhost", "a b", "127.0.0.1:80", "[::1]", "localhost/", "::1::", "exa_mple!"},
		"an address or a name to listen on; empty for all",
	},
	"PORT": {[]string{"-1", "65536", "http", "3000.5", "0x10", "3 000"}, "0 to 65535; 0 for a free one"},
	"ADMIN_ADDR": {
		[]string{"localhost", "9464", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "http://127.0.0.1:9464", "::1:9464", "on", "OFF"},
		"host:port, or off",
	},
	"LOG_LEVEL":  {[]string{"INFO", "trace", "info+1", "0"}, "debug, info, warn or error"},
	"LOG_FORMAT": {[]string{"xml", "JSON"}, "json or text"},
	"ALLOWED_ORIGINS": {
		[]string{
			"*", "app.example.com", "https://app.example.com/", "https://app.example.com/chat", "https://*.example.com", "https://",
			"https://App.example.com", "HTTPS://app.example.com", "https://app.example.com:443", "http://app.example.com:80",
			"https://user@app.example.com", "https://app.example.com?x", "https://app.example.com#x", "null", "//app.example.com",
			"https://ok.example.com,*", "https://ok.example.com https://app.example.com", "https://app.example.com:", "https://app.example.com:http",
		},
		"origins such as https://app.example.com, separated by commas, without a path or a default port",
	},
	"JWT_PUBLIC_KEY_FILE": {[]string{"/etc/parley/key.pem"}, "nothing yet: tokens are HS256 with JWT_SECRET"},
	"JWKS_URL":            {[]string{"https://issuer.example.com/jwks.json"}, "nothing yet: tokens are HS256 with JWT_SECRET"},
	"ALLOW_QUERY_TOKEN":   {[]string{"yes", "on", "2"}, "1 or 0"},
	"CONVERSATION_ACCESS": {[]string{"all", "Claims", "none"}, "claims or authenticated"},
	"PING_INTERVAL":       {[]string{"0", "-1s", "25", "1us", "1d", "soon", "288h0m1s", "2562047h"}, "a duration such as 25s, from 1ms to 288h"},
	"PING_TIMEOUT":        {[]string{"0s", "60", "999us", "-60s", "288h0m1s"}, "a duration such as 60s, from 1ms to 288h"},
	"CONNECT_TIMEOUT":     {[]string{"-1s", "10", "ten", "2562047h"}, "a duration such as 10s; 0 for none"},
	"PRESENCE_GRACE":      {[]string{"-1ns", "10", "2562047h"}, "a duration such as 10s; 0 for none"},
	"DRAIN_TIME":          {[]string{"-1ns", "10", "2562047h47m16s"}, "a duration such as 10s; 0 for none"},
	"MAX_PAYLOAD":         {[]string{"-1", "1e6", "1MB", "2147483648", "1_000"}, "a number of bytes up to 2147483647; 0 for no limit"},
	"MAX_CONTENT":         {[]string{"-1", "64k"}, "a number of bytes up to 2147483647; 0 for no limit"},
	"OUTBOX_BYTES":        {[]string{"-1", "1.5"}, "a number of bytes up to 2147483647; 0 for no limit"},
	"MESSAGE_LOG":         {[]string{"redis", "Memory"}, "memory"},
	"PARLEY_DEV":          {[]string{"yes", "dev"}, "1 or 0"},
}

func TestLoadConfig_RefusedValues(t *testing.T) {
	for name, tc := range refused {
		for _, value := range tc.values {
			t.Run(name+"="+value, func(t *testing.T) {
				c, err := bootstrap.LoadConfig(environment(name + "=" + value))
				require.Error(t, err)
				assert.Equal(t, name+`="`+value+`" is not allowed; allowed: `+tc.allowed, err.Error())
				assert.Zero(t, c)
			})
		}
	}

	t.Run("are all named at once", func(t *testing.T) {
		var all []string
		for name, tc := range refused {
			all = append(all, name+"="+tc.values[0])
		}
		_, err := bootstrap.LoadConfig(environment(all...))
		require.Error(t, err)
		assert.Len(t, strings.Split(err.Error(), "\n"), len(refused))
		for name, tc := range refused {
			assert.Contains(t, err.Error(), name+`="`+tc.values[0]+`" is not allowed; allowed: `+tc.allowed)
		}
		assert.NotContains(t, err.Error(), secret)
	})

	t.Run("of the process are named too", func(t *testing.T) {
		t.Setenv("JWT_SECRET", secret)
		t.Setenv("PORT", "many")
		_, err := bootstrap.LoadConfig(nil)
		assert.EqualError(t, err, `PORT="many" is not allowed; allowed: 0 to 65535; 0 for a free one`)
	})
}

func TestLoadConfig_Secret(t *testing.T) {
	for name, variables := range map[string]map[string]string{
		"none":                {},
		"an empty one":        {"JWT_SECRET": ""},
		"only a previous one": {"JWT_SECRET_PREVIOUS": secret},
		"dev mode off":        {"PARLEY_DEV": "0"},
	} {
		t.Run(name+" is refused, with what to set", func(t *testing.T) {
			_, err := bootstrap.LoadConfig(variables)
			require.Error(t, err)
			assert.Contains(t, err.Error(), "JWT_SECRET is not set")
			assert.Contains(t, err.Error(), "PARLEY_DEV=1")
		})
	}
}
