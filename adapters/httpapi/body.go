package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"parley/domain"
)

// bodyTimeout is how long a backend may take to send a body.
const bodyTimeout = 30 * time.Second

// bodyDeadline bounds how long a body may take to arrive. The server itself cannot have such a bound, because polling
// requests wait long. The bound also holds for a body that no handler reads, which the server discards before the next
// request. The server lifts it at the end of the body.
func bodyDeadline(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().ContentLength != 0 {
			// It fails only for a writer that is not a server's.
			_ = http.NewResponseController(c.Response()).SetReadDeadline(time.Now().Add(bodyTimeout))
		}
		return next(c)
	}
}

// readBody returns the body of a request, which must be one JSON object that has only members of T, each at most once.
// The error names the member at fault.
func readBody[T any](c echo.Context, maxBody int64) (v T, err error) {
	mediaType, _, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		err := domain.Errorf(domain.CodeInvalidPayload, "the Content-Type must be application/json")
		return v, &refused{err, http.StatusUnsupportedMediaType}
	}
	body, err := readAll(c, maxBody)
	if err != nil {
		return v, err
	}
	if !utf8.Valid(body) {
		return v, domain.Errorf(domain.CodeInvalidPayload, "the body is not valid UTF-8")
	}
	if !json.Valid(body) {
		return v, domain.Errorf(domain.CodeInvalidPayload, "the body is not valid JSON")
	}
	if err := checkMembers(body, reflect.TypeFor[T]()); err != nil {
		return v, err
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return v, typeError(err)
	}
	return v, nil
}

func readAll(c echo.Context, maxBody int64) ([]byte, error) {
	tooLong := domain.Errorf(domain.CodePayloadTooLarge, "the body is longer than %d bytes", maxBody)
	r := c.Request()
	if r.ContentLength > maxBody {
		return nil, tooLong // none of it is read
	}
	// Echo's own writer hides what MaxBytesReader needs to close the connection after a body that is too long.
	body, err := io.ReadAll(http.MaxBytesReader(c.Response().Writer, r.Body, maxBody))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err := domain.Errorf(domain.CodeInvalidPayload, "the body did not arrive within %v", bodyTimeout)
		return nil, &refused{err, http.StatusRequestTimeout}
	}
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, tooLong
	}
	if err != nil {
		return nil, domain.Errorf(domain.CodeInvalidPayload, "the body did not arrive whole")
	}
	return body, nil
}

// checkMembers checks that an object has only known names, in their exact case and each at most once: encoding/json
// would take any case, repeats and unknown names. Objects inside are opaque and are not checked.
func checkMembers(body []byte, t reflect.Type) error {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if begin, err := decoder.Token(); err != nil || begin != json.Delim('{') {
		return domain.Errorf(domain.CodeInvalidPayload, "the body must be a JSON object")
	}
	known := members(t)
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return err // impossible for valid JSON
		}
		name, _ := token.(string)
		seen, ok := known[name]
		if !ok {
			return domain.Errorf(domain.CodeInvalidPayload, "%q is not known here", clip(name))
		}
		if seen {
			return domain.Errorf(domain.CodeInvalidPayload, "%s is there twice", name)
		}
		known[name] = true
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return err // impossible for valid JSON
		}
	}
	return nil
}

// members returns the names of a struct's members in JSON, none of them seen.
func members(t reflect.Type) map[string]bool {
	names := make(map[string]bool, t.NumField())
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names[name] = false
	}
	return names
}

// clip shortens a part of a request that is quoted in the answer.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// typeError says what a member must be.
func typeError(err error) error {
	e, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return domain.Errorf(domain.CodeInvalidPayload, "the body is not what this route takes")
	}
	wanted := "a string"
	switch e.Type.Kind() {
	case reflect.Bool:
		wanted = "a boolean"
	case reflect.Uint32:
		wanted = "a whole number, 0 or more"
	}
	return domain.Errorf(domain.CodeInvalidPayload, "%s must be %s", e.Field, wanted)
}

// isSet reports whether a member is present and not null.
func isSet(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// object returns a member that must be an object; nil if it is absent or null.
func object(name string, raw json.RawMessage) ([]byte, error) {
	if !isSet(raw) {
		return nil, nil
	}
	if raw[0] != '{' {
		return nil, domain.Errorf(domain.CodeInvalidPayload, "%s must be an object", name)
	}
	return raw, nil
}
