package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/adapters/httpapi"
)

// contract is docs/openapi.yaml. Every exchange of these tests is checked against it.
type contract struct {
	doc        *openapi3.T
	operations []operation
}

// operation is one route of the document.
type operation struct {
	method, path string
	matches      *regexp.Regexp
	route        *routers.Route
	names        []string
}

var document = sync.OnceValue(func() *contract {
	doc, err := openapi3.NewLoader().LoadFromFile("../../docs/openapi.yaml")
	if err != nil {
		panic(err)
	}
	c := &contract{doc: doc}
	variable := regexp.MustCompile(`\{(\w+)\}`)
	for path, item := range doc.Paths.Map() {
		o := operation{path: path}
		for _, match := range variable.FindAllStringSubmatch(path, -1) {
			o.names = append(o.names, match[1])
		}
		o.matches = regexp.MustCompile("^" + variable.ReplaceAllString(path, "([^/]+)") + "$")
		for method, described := range item.Operations() {
			o.method = method
			o.route = &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: described}
			c.operations = append(c.operations, o)
		}
	}
	slices.SortFunc(c.operations, func(a, b operation) int { return strings.Compare(a.String(), b.String()) })
	return c
})

func (o operation) String() string { return o.method + " " + o.path }

// backendsOnly reports whether the operation asks for a service token.
func (o operation) backendsOnly() bool { return strings.HasPrefix(o.path, "/v1/") }

// backendOperations returns the operations that ask for a service token.
func backendOperations(t *testing.T) (all []operation) {
	t.Helper()
	for _, o := range document().operations {
		if o.backendsOnly() {
			all = append(all, o)
		}
	}
	require.NotEmpty(t, all)
	return all
}

// target is the operation's path with the examples of its parameters.
func (o operation) target() string {
	path := o.path
	for _, p := range o.route.PathItem.Parameters {
		path = strings.Replace(path, "{"+p.Value.Name+"}", url.PathEscape(p.Value.Example.(string)), 1)
	}
	return path
}

// bodies returns the examples of the operation's body by name, or one empty body if it takes none.
func (o operation) bodies(t *testing.T) map[string]string {
	t.Helper()
	if o.route.Operation.RequestBody == nil {
		return map[string]string{"no body": ""}
	}
	bodies := map[string]string{}
	for name, example := range o.route.Operation.RequestBody.Value.Content["application/json"].Examples {
		raw, err := json.Marshal(example.Value.Value)
		require.NoError(t, err)
		bodies[name] = string(raw)
	}
	require.NotEmpty(t, bodies)
	return bodies
}

// find returns the operation that the request is for.
func (c *contract) find(r *http.Request) (o operation, params map[string]string, found bool) {
	for _, o := range c.operations {
		match := o.matches.FindStringSubmatch(r.URL.EscapedPath())
		if match == nil || o.method != r.Method {
			continue
		}
		params := map[string]string{}
		for i, name := range o.names {
			params[name], _ = url.PathUnescape(match[i+1])
		}
		return o, params, true
	}
	return operation{}, nil, false
}

// check fails the test unless the document describes the answer and, if the request succeeded, the request. The answer
// to a request below /v1/ that is for no operation must be a problem.
func (c *contract) check(t *testing.T, r *http.Request, sent string, status int, header http.Header, body []byte) {
	t.Helper()
	o, params, found := c.find(r)
	if !found {
		if strings.HasPrefix(r.URL.Path, "/v1/") && r.Method != http.MethodOptions && r.Method != http.MethodHead {
			var v any
			require.NoError(t, json.Unmarshal(body, &v), "%s %s: %s", r.Method, r.URL, body)
			assert.NoError(t, c.doc.Components.Schemas["Problem"].Value.VisitJSON(v), "%s %s", r.Method, r.URL)
			assert.Equal(t, "application/problem+json", header.Get("Content-Type"))
		}
		return
	}
	options := &openapi3filter.Options{
		IncludeResponseStatus: true, RejectWhenRequestBodyNotSpecified: true, SkipSettingDefaults: true,
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
	}
	request := r.Clone(context.Background())
	request.Body = io.NopCloser(strings.NewReader(sent))
	in := &openapi3filter.RequestValidationInput{Request: request, PathParams: params, Route: o.route, Options: options}
	if status < 300 {
		assert.NoError(t, openapi3filter.ValidateRequest(context.Background(), in), "%v took what it should not: %s", o, sent)
	}
	assert.NoError(t, openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: status, Header: header, Body: io.NopCloser(strings.NewReader(string(body))), Options: options,
	}), "%v answered %d %s", o, status, body)
	if described := o.route.Operation.Responses.Status(status); described != nil && len(described.Value.Content) == 0 {
		assert.Empty(t, body, "%v", o)
	}
}

func TestDocument(t *testing.T) {
	t.Run("the document is valid, examples included", func(t *testing.T) {
		require.NoError(t, document().doc.Validate(context.Background()))
		assert.True(t, document().doc.IsOpenAPI31OrLater())
	})

	t.Run("the document describes every route and no other", func(t *testing.T) {
		s := backends(t)
		var served, described []string
		for _, r := range httpapi.Routes(s.api) {
			if !strings.HasPrefix(r.Path, "/socket.io") {
				served = append(served, r.Method+" "+regexp.MustCompile(`:(\w+)`).ReplaceAllString(r.Path, "{$1}"))
			}
		}
		for _, o := range document().operations {
			described = append(described, o.String())
		}
		assert.ElementsMatch(t, served, described)
		assert.Greater(t, len(served), 10)
	})

	t.Run("the document names every operation, and every error that each may answer", func(t *testing.T) {
		ids := map[string]bool{}
		for _, o := range document().operations {
			d := o.route.Operation
			assert.False(t, ids[d.OperationID], d.OperationID)
			ids[d.OperationID] = d.OperationID != ""
			assert.NotEmpty(t, d.Summary, o)
			if !o.backendsOnly() {
				continue
			}
			wanted := []int{400, 401, 403, 500, 503}
			if d.RequestBody != nil {
				wanted = append(wanted, 408, 413, 415)
			}
			for _, status := range wanted {
				assert.NotNil(t, d.Responses.Status(status), "%v %d", o, status)
			}
			assert.Nil(t, d.Responses.Default(), "it would describe anything")
		}
	})

	t.Run("every example of a request is taken", func(t *testing.T) {
		for _, o := range document().operations {
			for name, body := range o.bodies(t) {
				s := backends(t)
				s.answerAll(nil)
				answer := s.send(exchange{method: o.method, target: o.target(), body: body})
				assert.Less(t, answer.status, 300, "%v %s: %s", o, name, answer.body)
			}
		}
	})
}

// TestDocument_check checks that the check itself can fail.
func TestDocument_check(t *testing.T) {
	for name, test := range map[string]struct {
		method, target, sent string
		status               int
		contentType, body    string
	}{
		"a status that is not described":  {"GET", "/healthz", "", 418, "application/json", `{"status":"ok"}`},
		"a member that is not described":  {"GET", "/healthz", "", 200, "application/json", `{"status":"ok","x":1}`},
		"a value that is not described":   {"GET", "/healthz", "", 200, "application/json", `{"status":"fine"}`},
		"a member that is missing":        {"GET", "/v1/conversations/c/members", "", 200, "application/json", `{}`},
		"another type of content":         {"GET", "/healthz", "", 200, "text/plain", `{"status":"ok"}`},
		"a body where there is none":      {"DELETE", "/v1/sessions/s", "", 204, "application/json", `{}`},
		"a request that is not described": {"PATCH", "/v1/conversations/c", `{"changes":7}`, 204, "", ``},
		"a parameter that is not right":   {"GET", "/v1/conversations?limit=0", "", 200, "application/json", `{"conversations":[]}`},
		"an id that is not right":         {"GET", "/v1/conversations/a%20b/members", "", 200, "application/json", `{"members":[]}`},
		"no problem where nothing is":     {"GET", "/v1/nowhere", "", 404, "application/problem+json", `{"x":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequest(test.method, "http://parley"+test.target, strings.NewReader(test.sent))
			require.NoError(t, err)
			request.Header.Set("Content-Type", "application/json")
			tried := &testing.T{}
			document().check(tried, request, test.sent, test.status, http.Header{"Content-Type": {test.contentType}}, []byte(test.body))
			assert.True(t, tried.Failed())
		})
	}
}
