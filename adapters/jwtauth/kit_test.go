package jwtauth_test

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"hash"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/jwtauth"
	"parley/domain"
)

var (
	secret   = []byte("the secret of these tests, 32 bytes and more")
	previous = []byte("the secret that was, and is not used any more")
)

// object is a JSON object: the header or the claims of a token.
type object = map[string]any

// assertRefused asserts that the token is refused with the code, and that the error does not repeat it.
func assertRefused(t *testing.T, a *jwtauth.Authenticator, token string, code domain.Code) {
	t.Helper()
	who, err := a.Authenticate(context.Background(), token)
	require.Error(t, err)
	assert.Equal(t, code, domain.AsError(err).Code)
	assert.Zero(t, who)
	if len(token) > 10 {
		assert.NotContains(t, err.Error(), token)
	}
}

// forge makes a token by hand, because the library would refuse to make most of those tested here. sum is the hash of the
// HMAC; nil leaves the signature empty.
func forge(header, claims object, sum func() hash.Hash, key []byte) string {
	return seal(b64(encode(header))+"."+b64(encode(claims)), sum, key)
}

// seal appends the signature to the text, which is the encoded header and claims.
func seal(text string, sum func() hash.Hash, key []byte) string {
	if sum == nil {
		return text + "."
	}
	mac := hmac.New(sum, key)
	mac.Write([]byte(text))
	return text + "." + b64(mac.Sum(nil))
}

// rsaKeys returns a new key pair, the public key in PEM.
func rsaKeys(t *testing.T) (private *rsa.PrivateKey, public []byte) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	require.NoError(t, err)
	return private, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// signRSA makes a token signed with RS256.
func signRSA(t *testing.T, key *rsa.PrivateKey, claims object) string {
	t.Helper()
	text := b64(encode(object{"alg": "RS256"})) + "." + b64(encode(claims))
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	require.NoError(t, err)
	return text + "." + b64(signature)
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func encode(v object) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}
