package engineio

import (
	"net/http"
	"strings"
)

// AdmitOrigin applies an origin policy to a request as a Server does with Config.AllowOrigin, for handlers that serve
// beside one. Pages of other origins are refused on every transport, because browsers do not apply CORS to WebSockets;
// for an allowed origin the CORS headers are set. If allow is nil, only pages of the host that the request is addressed
// to are let in; they need no headers. It returns false if it has answered the request: with a refusal, or as a
// preflight.
func AdmitOrigin(w http.ResponseWriter, r *http.Request, allow func(origin string) bool) bool {
	h := w.Header()
	h.Add("Vary", "Origin")
	if origins := r.Header.Values("Origin"); len(origins) > 0 {
		origin := origins[0]
		if len(origins) > 1 || allow == nil && !sameHost(r.Host, origin) || allow != nil && !allow(origin) {
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

// sameHost reports whether the origin is that of the host's own pages. Their scheme is not compared: it is unknown
// here, as a proxy may stand in front of the server.
func sameHost(host, origin string) bool {
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
