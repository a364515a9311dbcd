package domain_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/domain"
)

func TestAccess_Check(t *testing.T) {
	tests := map[string]struct {
		access  domain.Access
		grants  []string
		allowed bool
	}{
		"claims with the id":                     {domain.AccessClaims, []string{"x", "team-1"}, true},
		"claims with a prefix":                   {domain.AccessClaims, []string{"x", "team-*"}, true},
		"claims with the whole id and a star":    {domain.AccessClaims, []string{"team-1*"}, true},
		"claims with a star alone":               {domain.AccessClaims, []string{"*"}, true},
		"claims without grants":                  {domain.AccessClaims, nil, false},
		"claims with another id":                 {domain.AccessClaims, []string{"team-2"}, false},
		"claims with a beginning but no star":    {domain.AccessClaims, []string{"team-"}, false},
		"claims with a longer id":                {domain.AccessClaims, []string{"team-12"}, false},
		"claims with a longer prefix":            {domain.AccessClaims, []string{"team-1-*"}, false},
		"claims with another prefix":             {domain.AccessClaims, []string{"eam-*"}, false},
		"claims with a star in the middle":       {domain.AccessClaims, []string{"t*-1", "*-1"}, false},
		"claims with another case":               {domain.AccessClaims, []string{"Team-1", "TEAM-*"}, false},
		"claims with an empty grant":             {domain.AccessClaims, []string{""}, false},
		"authenticated without grants":           {domain.AccessAuthenticated, nil, true},
		"authenticated with grants for others":   {domain.AccessAuthenticated, []string{"x"}, true},
		"an access that is not set":              {"", nil, false},
		"an access that is not set, with grants": {"", []string{"team-1"}, true},
		"an access that is misspelt":             {"Authenticated", nil, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := test.access.Check(domain.Identity{User: "ann", Grants: test.grants}, "team-1")
			if test.allowed {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			assert.Equal(t, domain.CodeForbidden, domain.AsError(err).Code)
			assert.NotContains(t, err.Error(), "team-1")
		})
	}
}

func TestIdentity_Expired(t *testing.T) {
	assert.False(t, domain.Identity{}.Expired(noon), "a token without an end")
	who := domain.Identity{ExpiresAt: noon}
	assert.False(t, who.Expired(noon.Add(-1)))
	assert.True(t, who.Expired(noon), "at the instant")
	assert.True(t, who.Expired(noon.Add(1)))
}
