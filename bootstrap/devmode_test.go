package bootstrap_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/bootstrap"
	"parley/domain"
)

func TestLoadConfig_Dev(t *testing.T) {
	t.Run("is for this machine, with a secret of its own each time", func(t *testing.T) {
		seen := map[string]bool{}
		for range 10 {
			c, err := bootstrap.LoadConfig(map[string]string{"PARLEY_DEV": "1"})
			require.NoError(t, err)
			assert.True(t, c.Dev)
			assert.EqualValues(t, "127.0.0.1", c.Host)
			assert.EqualValues(t, domain.AccessAuthenticated, c.Access)
			assert.GreaterOrEqual(t, len(c.JWTSecret), 32)
			seen[c.JWTSecret] = true
		}
		assert.Len(t, seen, 10)
	})

	t.Run("keeps what is set", func(t *testing.T) {
		c := load(t, "PARLEY_DEV=true", "HOST=localhost", "CONVERSATION_ACCESS=claims")
		assert.EqualValues(t, "localhost", c.Host)
		assert.EqualValues(t, domain.AccessClaims, c.Access)
		assert.Equal(t, secret, c.JWTSecret)
	})

	t.Run("may be for others with a random secret", func(t *testing.T) {
		c, err := bootstrap.LoadConfig(map[string]string{"PARLEY_DEV": "1", "HOST": "0.0.0.0"})
		require.NoError(t, err)
		assert.EqualValues(t, "0.0.0.0", c.Host)
	})

	for _, host := range []string{"0.0.0.0", "::", "192.168.0.7", "2001:db8::1", "chat.example.com", "localhost.example.com", "127.0.0.1.example.com"} {
		for _, name := range []string{"JWT_SECRET", "JWT_SECRET_PREVIOUS"} {
			t.Run("hands out no tokens of "+name+" on "+host, func(t *testing.T) {
				_, err := bootstrap.LoadConfig(map[string]string{"PARLEY_DEV": "1", "HOST": host, name: secret})
				require.Error(t, err)
				for _, said := range []string{"PARLEY_DEV=1", "HOST", host, "JWT_SECRET"} {
					assert.Contains(t, err.Error(), said)
				}
				assert.NotContains(t, err.Error(), secret)
			})
		}
	}

	for _, host := range []string{"", "127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "localhost", "LOCALHOST"} {
		t.Run("takes a secret on this machine's "+host, func(t *testing.T) {
			_, err := bootstrap.LoadConfig(map[string]string{"PARLEY_DEV": "1", "HOST": host, "JWT_SECRET": secret})
			require.NoError(t, err)
		})
	}
}

func TestAllowedOrigins(t *testing.T) {
	t.Run("are a list, matched exactly", func(t *testing.T) {
		c := load(t, "ALLOWED_ORIGINS= https://app.example.com ,,http://localhost:8080,capacitor://localhost,http://[::1]:5173,")
		assert.EqualValues(t, []string{
			"https://app.example.com", "http://localhost:8080", "capacitor://localhost", "http://[::1]:5173",
		}, c.AllowedOrigins)
		for _, origin := range c.AllowedOrigins {
			assert.True(t, c.AllowOrigin(origin), origin)
		}
		for _, origin := range []string{
			"", "null", "https://app.example.com.evil.tld", "https://evil.tld/https://app.example.com", "http://app.example.com",
			"https://app.example.com/", "https://APP.example.com", "http://localhost", "http://localhost:5173", "http://localhost:80801",
			"https://xapp.example.com",
		} {
			assert.False(t, c.AllowOrigin(origin), origin)
		}
	})

	t.Run("may be none", func(t *testing.T) {
		c := load(t, "ALLOWED_ORIGINS=,")
		assert.Empty(t, c.AllowedOrigins)
		assert.False(t, c.AllowOrigin("http://localhost:5173"))
		assert.False(t, c.AllowOrigin(""))
	})

	local := []string{"http://localhost", "http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:5173", "http://127.0.0.1"}
	t.Run("have the pages of this machine among them in dev mode", func(t *testing.T) {
		c := load(t, "PARLEY_DEV=1", "ALLOWED_ORIGINS=https://app.example.com")
		assert.True(t, c.AllowOrigin("https://app.example.com"))
		for _, origin := range local {
			assert.True(t, c.AllowOrigin(origin), origin)
		}
		for _, origin := range []string{
			"http://localhost.evil.tld", "http://127.0.0.1.evil.tld", "http://localhostevil.tld", "https://evil.tld", "null",
			"http://localhost:80@evil.tld", "http://localhost:evil.tld", "http://192.168.0.7:3000", "http://127.0.0.10",
		} {
			assert.False(t, c.AllowOrigin(origin), origin)
		}
	})

	t.Run("do not have them outside of dev mode", func(t *testing.T) {
		c := load(t, "ALLOWED_ORIGINS=https://app.example.com")
		for _, origin := range local {
			assert.False(t, c.AllowOrigin(origin), origin)
		}
	})
}
