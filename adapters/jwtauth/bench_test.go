package jwtauth_test

import (
	"context"
	"testing"
	"time"

	"parley/adapters/jwtauth"
)

// BenchmarkAuthenticator measures what every connection costs at least once.
func BenchmarkAuthenticator(b *testing.B) {
	a := jwtauth.New(jwtauth.Config{Secret: secret, Leeway: time.Minute})
	token, _, err := jwtauth.NewSigner(jwtauth.Config{Secret: secret}).Sign("user-1234", []string{"team-*", "room-17"}, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Authenticate(context.Background(), token); err != nil {
			b.Fatal(err)
		}
	}
}
