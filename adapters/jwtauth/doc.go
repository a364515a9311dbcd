// Package jwtauth verifies and signs JSON Web Tokens (RFC 7519) with a shared secret, HS256.
package jwtauth
