package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"parley/adapters/httpapi"
)

func TestAdmin(t *testing.T) {
	connections := 41
	admin := httpapi.NewAdmin(func() int { return connections })
	ask := func(method, path string) *http.Response {
		answer := httptest.NewRecorder()
		admin.ServeHTTP(answer, httptest.NewRequest(method, path, nil))
		return answer.Result()
	}

	t.Run("metrics count the connections at each scrape", func(t *testing.T) {
		for range 2 {
			connections++
			answer := ask(http.MethodGet, "/metrics")
			assert.Equal(t, http.StatusOK, answer.StatusCode)
			body := text(t, answer)
			assert.Contains(t, body, "# TYPE parley_connections gauge\nparley_connections "+map[int]string{42: "42", 43: "43"}[connections]+"\n")
			assert.Contains(t, body, "go_goroutines ")
			assert.Contains(t, body, "process_resident_memory_bytes ")
		}
	})

	t.Run("two admin handlers may live in one process", func(t *testing.T) {
		assert.NotPanics(t, func() { httpapi.NewAdmin(func() int { return 0 }) })
	})

	t.Run("profiles are listed and served", func(t *testing.T) {
		answer := ask(http.MethodGet, "/debug/pprof/")
		assert.Equal(t, http.StatusOK, answer.StatusCode)
		assert.Contains(t, text(t, answer), "goroutine")
		for _, path := range []string{"/debug/pprof/goroutine?debug=1", "/debug/pprof/heap?debug=1", "/debug/pprof/symbol"} {
			assert.Equal(t, http.StatusOK, ask(http.MethodGet, path).StatusCode, path)
		}
	})

	t.Run("other paths are not found", func(t *testing.T) {
		for _, path := range []string{"/", "/healthz", "/debug", "/debug/vars", "/metrics/x"} {
			assert.Equal(t, http.StatusNotFound, ask(http.MethodGet, path).StatusCode, path)
		}
		assert.Equal(t, http.StatusMethodNotAllowed, ask(http.MethodPost, "/metrics").StatusCode)
	})
}
