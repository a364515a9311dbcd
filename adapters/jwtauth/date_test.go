package jwtauth_test

import (
	"encoding/json"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"

	"parley/adapters/jwtauth"
)

// FuzzDate compares how date and the library's jwt.NumericDate read the same JSON.
func FuzzDate(f *testing.F) {
	for _, text := range []string{
		"1767225600", "1767225600.75", "-1", "-0.5", "0", "1e9", "1E+2", "1e300", "-1e300", "1e999", "9223372036854775807", "1e18",
		`"1767225600"`, `"tomorrow"`, `"NaN"`, `"0x10"`, `""`, "null", "true", "{}", "[1]", "[]", "1_000", "01", "+1", ".5", "-", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want struct{ At *jwt.NumericDate }
		var got struct{ At *jwtauth.Date }
		body := []byte(`{"at":` + text + `}`)
		refused := json.Unmarshal(body, &want)
		err := json.Unmarshal(body, &got)
		assert.Equal(t, refused == nil, err == nil, "%v; %v", refused, err)
		if refused == nil && assert.Equal(t, want.At == nil, got.At == nil) && want.At != nil {
			assert.True(t, want.At.Equal(got.At.Time), "%v instead of %v", got.At, want.At)
		}
	})
}
