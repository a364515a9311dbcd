package jwtauth_test

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/jwtauth"
	"parley/domain"
)

func TestAuthenticator_accepts(t *testing.T) {
	soon := time.Now().Add(time.Hour).Truncate(time.Second)
	manyGrants := make([]string, 1000)
	for i := range manyGrants {
		manyGrants[i] = "c" // short: a token of 1000 longer ones is over the bound of a token
	}
	tests := map[string]struct {
		cfg    jwtauth.Config
		key    []byte
		header object
		claims object
		grants []string
	}{
		"a user and an expiry": {claims: object{}},
		"conversations":        {claims: object{"conversations": []string{"c1", "team-*"}}, grants: []string{"c1", "team-*"}},
		"conversations that are null": {
			claims: object{"conversations": nil},
		},
		"a grant as long as an id and a star": {
			claims: object{"conversations": []string{strings.Repeat("c", 128) + "*"}},
			grants: []string{strings.Repeat("c", 128) + "*"},
		},
		"1000 grants":               {claims: object{"conversations": manyGrants}, grants: manyGrants},
		"the previous secret":       {key: previous, cfg: jwtauth.Config{Secret: secret, PreviousSecret: previous}, claims: object{}},
		"claims it does not know":   {claims: object{"name": "Ann", "scope": "chat"}},
		"the issuer that is wanted": {cfg: jwtauth.Config{Secret: secret, Issuer: "platform"}, claims: object{"iss": "platform"}},
		"an issuer if none is wanted": {
			claims: object{"iss": "anyone", "aud": "anything"},
		},
		"the audience that is wanted": {cfg: jwtauth.Config{Secret: secret, Audience: "chat"}, claims: object{"aud": "chat"}},
		"the audience in a list": {
			cfg: jwtauth.Config{Secret: secret, Audience: "chat"}, claims: object{"aud": []string{"web", "chat"}},
		},
		"an expiry inside the leeway": {
			cfg:    jwtauth.Config{Secret: secret, Leeway: time.Minute},
			claims: object{"exp": time.Now().Add(-30 * time.Second).Unix()},
		},
		"a start inside the leeway": {
			cfg:    jwtauth.Config{Secret: secret, Leeway: time.Minute},
			claims: object{"nbf": time.Now().Add(30 * time.Second).Unix()},
		},
		"a header that names keys, which is not looked at": {
			header: object{"alg": "HS256", "kid": "../../etc/passwd", "jku": "https://example.com/keys", "jwk": object{"k": "AA"}},
			claims: object{},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.cfg.Secret == nil {
				test.cfg.Secret = secret
			}
			key := secret
			if test.key != nil {
				key = test.key
			}
			header := test.header
			if header == nil {
				header = object{"alg": "HS256", "typ": "JWT"}
			}
			expires := soon
			claims := object{"sub": "user-1", "exp": soon.Unix()}
			for k, v := range test.claims {
				claims[k] = v
			}
			if exp, given := test.claims["exp"]; given {
				expires = time.Unix(exp.(int64), 0)
			}
			who, err := jwtauth.New(test.cfg).Authenticate(context.Background(), forge(header, claims, sha256.New, key))
			require.NoError(t, err)
			assert.Equal(t, domain.UserID("user-1"), who.User)
			assert.True(t, expires.Equal(who.ExpiresAt), "%v", who.ExpiresAt)
			assert.Equal(t, test.grants, who.Grants)
		})
	}
}

func TestAuthenticator_refuses_the_token(t *testing.T) {
	full := jwtauth.Config{Secret: secret, PreviousSecret: previous, Issuer: "platform", Audience: "chat"}
	soon, ago := time.Now().Add(time.Hour).Unix(), time.Now().Add(-time.Hour).Unix()
	hs256 := object{"alg": "HS256", "typ": "JWT"}
	good := func(change object) object {
		claims := object{"sub": "user-1", "exp": soon, "iss": "platform", "aud": "chat"}
		for k, v := range change {
			claims[k] = v
			if v == nil {
				delete(claims, k)
			}
		}
		return claims
	}
	signed := func(change object) string { return forge(hs256, good(change), sha256.New, secret) }
	parts := strings.Split(signed(nil), ".")
	private, public := rsaKeys(t)

	tokens := map[string]string{
		"empty":                            "",
		"one part":                         parts[0],
		"two parts":                        parts[0] + "." + parts[1],
		"four parts":                       signed(nil) + ".",
		"dots":                             "..",
		"a megabyte of dots":               strings.Repeat(".", 1<<20),
		"a megabyte in the header":         strings.Repeat("A", 1<<20) + "." + parts[1] + "." + parts[2],
		"valid but longer than 8 KiB":      signed(object{"padding": strings.Repeat("x", 8<<10)}),
		"spaces around":                    " " + signed(nil) + " ",
		"no base64":                        "!!!." + parts[1] + "." + parts[2],
		"no JSON":                          b64([]byte("{")) + "." + parts[1] + "." + parts[2],
		"JSON that is no object":           b64([]byte("[1]")) + "." + b64([]byte(`"claims"`)) + "." + parts[2],
		"null":                             b64([]byte("null")) + "." + b64([]byte("null")) + ".",
		"without signature":                parts[0] + "." + parts[1] + ".",
		"another's signature":              forge(hs256, good(nil), sha256.New, []byte("another secret")),
		"changed claims":                   parts[0] + "." + b64(encode(good(object{"sub": "admin"}))) + "." + parts[2],
		"a signature cut short":            signed(nil)[:len(signed(nil))-4],
		"signed with an empty key":         forge(hs256, good(nil), sha256.New, nil),
		"alg none":                         forge(object{"alg": "none"}, good(nil), nil, nil),
		"alg None":                         forge(object{"alg": "None"}, good(nil), nil, nil),
		"alg none with a good signature":   forge(object{"alg": "none"}, good(nil), sha256.New, secret),
		"no alg":                           forge(object{"typ": "JWT"}, good(nil), sha256.New, secret),
		"alg that is no string":            forge(object{"alg": 256}, good(nil), sha256.New, secret),
		"alg in lower case":                forge(object{"alg": "hs256"}, good(nil), sha256.New, secret),
		"HS512":                            forge(object{"alg": "HS512"}, good(nil), sha512.New, secret),
		"HS384":                            forge(object{"alg": "HS384"}, good(nil), sha512.New384, secret),
		"RS256":                            signRSA(t, private, good(nil)),
		"RS256 header, HMAC with secret":   forge(object{"alg": "RS256"}, good(nil), sha256.New, secret),
		"HS256 with the RSA key as secret": forge(hs256, good(nil), sha256.New, public),
		"a critical extension":             forge(object{"alg": "HS256", "crit": []string{"b64"}, "b64": false}, good(nil), sha256.New, secret),
		"no expiry":                        signed(object{"exp": nil}),
		"expiry that is no number":         signed(object{"exp": "tomorrow"}),
		"expiry that is an object":         signed(object{"exp": object{}}),
		"not yet valid":                    signed(object{"nbf": soon}),
		"another issuer":                   signed(object{"iss": "elsewhere"}),
		"no issuer":                        signed(object{"iss": nil}),
		"another audience":                 signed(object{"aud": "web"}),
		"audiences without ours":           signed(object{"aud": []string{"web", "shop"}}),
		"no audience":                      signed(object{"aud": nil}),
		"an empty audience":                signed(object{"aud": []string{}}),
		"an audience that is a number":     signed(object{"aud": 7}),
		"no subject":                       signed(object{"sub": nil}),
		"an empty subject":                 signed(object{"sub": ""}),
		"a subject that is a number":       signed(object{"sub": 7}),
		"a subject with a space":           signed(object{"sub": "user 1"}),
		"a subject with a line break":      signed(object{"sub": "user\n1"}),
		"a subject beyond ASCII":           signed(object{"sub": "usér"}),
		"a subject that is too long":       signed(object{"sub": strings.Repeat("u", 129)}),
		"a scope that is a number":         signed(object{"scope": 7}),
		"a scope that is a boolean":        signed(object{"scope": true}),
		"a scope in an object":             signed(object{"scope": object{"service": true}}),
		"scopes that are numbers":          signed(object{"scope": []any{"service", 7}}),
		"scopes over the bound of a token": signed(object{"scope": strings.Repeat("service ", 800)}),
		"conversations in a string":        signed(object{"conversations": "c1"}),
		"conversations in an object":       signed(object{"conversations": object{"c1": true}}),
		"conversations that are numbers":   signed(object{"conversations": []int{1}}),
		"too many conversations":           signed(object{"conversations": make([]string, 1001)}),
		"a grant that is too long":         signed(object{"conversations": []string{strings.Repeat("c", 129) + "*"}}),
		// Expired, but that is not all: the signature, the issuer or the subject is wrong as well.
		"expired, another's signature":   forge(hs256, good(object{"exp": ago}), sha256.New, []byte("another secret")),
		"expired, alg none":              forge(object{"alg": "none"}, good(object{"exp": ago}), nil, nil),
		"expired, another issuer":        signed(object{"exp": ago, "iss": "elsewhere"}),
		"expired, another audience":      signed(object{"exp": ago, "aud": "web"}),
		"expired, bad subject":           signed(object{"exp": ago, "sub": "user 1"}),
		"expired, too many grants":       signed(object{"exp": ago, "conversations": make([]string, 1001)}),
		"expired before it became valid": signed(object{"exp": ago, "nbf": soon}),
	}
	a := jwtauth.New(full)
	_, err := a.Authenticate(context.Background(), signed(nil))
	require.NoError(t, err, "the token that the others are made of")
	for name, token := range tokens {
		t.Run(name, func(t *testing.T) { assertRefused(t, a, token, domain.CodeUnauthorized) })
	}
	t.Run("any, if there is no secret", func(t *testing.T) {
		a := jwtauth.New(jwtauth.Config{Issuer: "platform", Audience: "chat"})
		assertRefused(t, a, signed(nil), domain.CodeUnauthorized)
		assertRefused(t, a, tokens["signed with an empty key"], domain.CodeUnauthorized)
	})
	t.Run("of the previous secret, if there is none", func(t *testing.T) {
		a := jwtauth.New(jwtauth.Config{Secret: secret})
		assertRefused(t, a, forge(hs256, good(nil), sha256.New, previous), domain.CodeUnauthorized)
	})
}

func TestAuthenticator_service(t *testing.T) {
	a := jwtauth.New(jwtauth.Config{Secret: secret})
	for name, test := range map[string]struct {
		scope   any
		service bool
	}{
		"alone":                              {"service", true},
		"first of several":                   {"service chat:read", true},
		"between others":                     {"openid service email", true},
		"after two spaces":                   {"openid  service", true},
		"written with an escape":             {json.RawMessage(`"\u0073ervice"`), true},
		"in a list":                          {[]string{"openid", "service"}, true},
		"last of very many":                  {strings.Repeat("a ", 2000) + "service", true},
		"no scope":                           {nil, false},
		"an empty scope":                     {"", false},
		"an empty list":                      {[]string{}, false},
		"a space":                            {" ", false},
		"another scope":                      {"chat", false},
		"in capitals":                        {"Service SERVICE", false},
		"as a part of others":                {"services my-service service:read service,chat", false},
		"after a tab, which is no separator": {"openid\tservice", false},
		"after a no-break space":             {"openid\u00a0service", false},
		"inside an entry of a list":          {[]string{"openid service"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			claims := object{"sub": "backend", "exp": time.Now().Add(time.Hour).Unix(), "scope": test.scope}
			who, err := a.Authenticate(context.Background(), forge(object{"alg": "HS256"}, claims, sha256.New, secret))
			require.NoError(t, err)
			assert.Equal(t, domain.UserID("backend"), who.User)
			assert.Equal(t, test.service, who.Service)
		})
	}
	t.Run("another claim of that name is not the scope", func(t *testing.T) {
		claims := object{"sub": "ann", "exp": time.Now().Add(time.Hour).Unix(), "scp": "service", "roles": []string{"service"}, "service": true}
		who, err := a.Authenticate(context.Background(), forge(object{"alg": "HS256"}, claims, sha256.New, secret))
		require.NoError(t, err)
		assert.False(t, who.Service)
	})
}

func TestAuthenticator_expiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := jwtauth.New(jwtauth.Config{Secret: secret, Leeway: 5 * time.Second})
		token := forge(object{"alg": "HS256"}, object{"sub": "user-1", "exp": time.Now().Add(time.Minute).Unix()}, sha256.New, secret)
		time.Sleep(65*time.Second - 1)
		_, err := a.Authenticate(context.Background(), token)
		require.NoError(t, err)
		time.Sleep(time.Nanosecond)
		assertRefused(t, a, token, domain.CodeTokenExpired)
	})
	t.Run("absurd times neither panic nor pass for what cannot be written", func(t *testing.T) {
		a := jwtauth.New(jwtauth.Config{Secret: secret})
		for _, exp := range []string{"1e300", "-1e300", "0", "-1", "1e18", "9223372036854775807", "1767225600000", "NaN", "1e999"} {
			body := fmt.Sprintf(`{"sub":"user-1","exp":%s}`, exp)
			who, err := a.Authenticate(context.Background(), seal(b64([]byte(`{"alg":"HS256"}`))+"."+b64([]byte(body)), sha256.New, secret))
			if err != nil {
				assert.Contains(t, []domain.Code{domain.CodeUnauthorized, domain.CodeTokenExpired}, domain.AsError(err).Code)
				continue
			}
			_, err = json.Marshal(who.ExpiresAt)
			assert.NoError(t, err, exp)
		}
	})
}

// FuzzAuthenticator looks for a panic, and for a token that passes without our signature.
func FuzzAuthenticator(f *testing.F) {
	a := jwtauth.New(jwtauth.Config{Secret: secret})
	hs256 := object{"alg": "HS256"}
	claims := object{"sub": "user-1", "exp": time.Now().Add(time.Hour).Unix(), "conversations": []string{"c1"}}
	good := forge(hs256, claims, sha256.New, secret)
	f.Add(good)
	f.Add("..")
	f.Add(forge(object{"alg": "none"}, claims, nil, nil))
	f.Fuzz(func(t *testing.T, token string) {
		_, err := a.Authenticate(context.Background(), token)
		if err == nil {
			last := strings.LastIndexByte(token, '.')
			assert.Equal(t, seal(token[:last], sha256.New, secret), token)
		}
		// The same text as signed claims, as a faulty issuer might send them.
		who, err := a.Authenticate(context.Background(), seal(b64([]byte(`{"alg":"HS256"}`))+"."+b64([]byte(token)), sha256.New, secret))
		if err == nil {
			_, err = domain.ParseUserID(string(who.User))
			assert.NoError(t, err)
			assert.LessOrEqual(t, len(who.Grants), 1000)
		}
	})
}
