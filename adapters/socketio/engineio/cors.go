package engineio

import (
	"net/http"
	"strings"
)

// AdmitOrigin applies an origin policy to a request as a Server does with Config.AllowOrigin, for
// handlers that serve beside one: pages of other origins are refused on every transport, because
// browsers do not apply CORS to WebSockets; for an allowed one the CORS headers are set. Without a policy
// only pages of the host that the request is for are let in, who need no headers. It reports false if it
// has answered: a refusal or a preflight.
func AdmitOrigin(w http.ResponseWriter, r *http.Request, allow func(origin string) bool) bool {
	h := w.Header()
	h.Add("Vary", "Origin")
	if origins := r.Header.Values("Origin"); len(origins) > 0 {
		origin := origins[0]
		if len(origins) > 1 || allow == nil && !isOf(r.Host, origin) || allow != nil && !allow(origin) {
			errForbidden.write(w)
			return false
		}
		if allow != nil {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Credentials", "true")
		}
	}
	if r.Method == http.MethodOptions {
		preflight(w, r)
		return false
	}
	return true
}

// isOf reports whether the origin is that of the host's pages. Their scheme is not known here: a proxy may speak
// for the server.
func isOf(host, origin string) bool {
	scheme, name, _ := strings.Cut(origin, "://")
	return host != "" && (scheme == "https" || scheme == "http") && strings.EqualFold(name, host)
}

func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Add("Vary", "Access-Control-Request-Headers")
		h.Set("Access-Control-Allow-Headers", asked)
	}
	w.WriteHeader(http.StatusNoContent)
}
