// Package httpapi is everything that Parley serves over plain HTTP, on Echo: the API for the platform's own backends
// below /v1/, health and readiness, the mount of the Socket.IO handler, the chat page of dev mode, and, on a listener
// of its own, metrics and profiles for operators. Errors are problem details (RFC 9457). docs/openapi.yaml describes
// everything that other programs may use.
package httpapi
