//go:build linux

package scenario

import (
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// tokenLife outlasts any run.
const tokenLife = 12 * time.Hour

// tokens signs the tokens of users who may join every conversation.
func tokens(secret string, expires time.Time) func(user string) (string, error) {
	key := []byte(secret)
	return func(user string) (string, error) {
		return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
			"sub":           user,
			"exp":           expires.Unix(),
			"iat":           time.Now().Unix(),
			"conversations": []string{"*"},
		}).SignedString(key)
	}
}
