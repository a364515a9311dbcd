package httpapi_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"parley/adapters/httpapi"
)

// BenchmarkAPI_socketIO measures what routing to Socket.IO costs each request, without net/http before it and the
// protocol behind it.
func BenchmarkAPI_socketIO(b *testing.B) {
	api := httpapi.New(httpapi.Config{
		SocketIO:    http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		AllowOrigin: func(string) bool { return false },
	}, slog.New(slog.DiscardHandler))
	r := httptest.NewRequest(http.MethodGet, "/socket.io/?EIO=4&transport=websocket", nil)
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		api.ServeHTTP(w, r)
	}
}
