package jwtauth_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/jwtauth"
	"parley/domain"
)

func TestSigner_Sign(t *testing.T) {
	cfg := jwtauth.Config{Secret: secret, Issuer: "platform", Audience: "chat"}

	t.Run("the authenticator of the same config accepts the token until it expires", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(300 * time.Millisecond)
			token, expires, err := jwtauth.NewSigner(cfg).Sign("ann", []string{"c1", "team-*"}, 1500*time.Millisecond)
			require.NoError(t, err)
			assert.Equal(t, 1700*time.Millisecond, time.Until(expires), "rounded up to a whole second")

			a := jwtauth.New(cfg)
			who, err := a.Authenticate(context.Background(), token)
			require.NoError(t, err)
			assert.Equal(t, domain.UserID("ann"), who.User)
			assert.Equal(t, []string{"c1", "team-*"}, who.Grants)
			assert.True(t, expires.Equal(who.ExpiresAt))

			time.Sleep(time.Until(expires))
			assertRefused(t, a, token, domain.CodeTokenExpired)
		})
	})
	t.Run("another config does not accept it", func(t *testing.T) {
		token, _, err := jwtauth.NewSigner(cfg).Sign("ann", nil, time.Hour)
		require.NoError(t, err)
		for name, other := range map[string]jwtauth.Config{
			"secret":   {Secret: previous, Issuer: "platform", Audience: "chat"},
			"issuer":   {Secret: secret, Issuer: "elsewhere", Audience: "chat"},
			"audience": {Secret: secret, Issuer: "platform", Audience: "web"},
		} {
			t.Run(name, func(t *testing.T) { assertRefused(t, jwtauth.New(other), token, domain.CodeUnauthorized) })
		}
	})
	t.Run("without issuer, audience and grants the token has none", func(t *testing.T) {
		bare := jwtauth.Config{Secret: secret}
		token, _, err := jwtauth.NewSigner(bare).Sign("ann", nil, time.Hour)
		require.NoError(t, err)
		who, err := jwtauth.New(bare).Authenticate(context.Background(), token)
		require.NoError(t, err)
		assert.Nil(t, who.Grants)
	})
	t.Run("a backend gets the scope of a service, and nobody else does", func(t *testing.T) {
		token, expires, err := jwtauth.NewSigner(cfg).SignService("coach", time.Hour)
		require.NoError(t, err)
		who, err := jwtauth.New(cfg).Authenticate(context.Background(), token)
		require.NoError(t, err)
		assert.True(t, expires.Equal(who.ExpiresAt))
		assert.Equal(t, domain.Identity{User: "coach", ExpiresAt: who.ExpiresAt, Service: true}, who)

		token, _, err = jwtauth.NewSigner(cfg).Sign("service", []string{"service"}, time.Hour)
		require.NoError(t, err)
		who, err = jwtauth.New(cfg).Authenticate(context.Background(), token)
		require.NoError(t, err)
		assert.False(t, who.Service)
	})
}
