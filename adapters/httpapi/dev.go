package httpapi

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"parley/domain"
)

// Dev is what only dev mode serves: tokens for everyone and the chat page.
type Dev struct {
	// Sign makes a token that lets the user into every conversation, or one of a backend, for /v1/.
	Sign func(user domain.UserID, service bool) (token string, expiresAt time.Time, err error)
	// Page is the chat page, with index.html at its root; nil means the one that is part of this binary.
	Page fs.FS
	// Local gives tokens only for requests whose Host is localhost or an address. Any site can have its own name
	// resolve to this machine, and its pages would then be of the same origin (DNS rebinding).
	Local bool
}

func (d *Dev) routes(e *echo.Echo) {
	e.POST("/dev/token", d.token)
	files := d.Page
	if files == nil {
		files = builtPage()
	}
	e.Match([]string{http.MethodGet, http.MethodHead}, "/*", servePage(files), pageHeaders)
}

type tokenRequest struct {
	UserID string `json:"userId"`
	// Service asks for a token of a backend instead.
	Service bool `json:"service"`
}

type tokenResponse struct {
	Token string `json:"token"`
	// ExpiresAt is ISO 8601 in UTC with milliseconds.
	ExpiresAt string `json:"expiresAt"`
}

func (d *Dev) token(c echo.Context) error {
	if d.Local && !isLocal(c.Request().Host) {
		return domain.Errorf(domain.CodeForbidden, "tokens are given at localhost, or at an address, only")
	}
	r, err := readTokenRequest(c)
	if err != nil {
		return err
	}
	user, err := domain.ParseUserID(r.UserID)
	if err != nil {
		return err
	}
	token, expiresAt, err := d.Sign(user, r.Service)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(http.StatusOK, tokenResponse{token, timestamp(expiresAt)})
}

// isLocal reports whether the host of a request, with or without a port, is localhost or an address: not a name that
// somebody else controls.
func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || strings.EqualFold(host, "localhost")
}

// maxTokenRequest bounds the body of a request for a token, in bytes.
const maxTokenRequest = 4096

// readTokenRequest takes JSON only: a page of another origin cannot send that without a preflight.
func readTokenRequest(c echo.Context) (r tokenRequest, err error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, maxTokenRequest))
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		return r, domain.Errorf(domain.CodePayloadTooLarge, "the body is longer than %d bytes", maxTokenRequest)
	}
	mediaType, _, _ := mime.ParseMediaType(c.Request().Header.Get("Content-Type")) // "" if there is none
	if err != nil || mediaType != "application/json" || json.Unmarshal(body, &r) != nil {
		return r, domain.Errorf(domain.CodeInvalidPayload, `the body must be JSON: {"userId": "…"}`)
	}
	return r, nil
}
