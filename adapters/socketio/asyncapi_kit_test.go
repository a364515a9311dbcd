package socketio_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// asyncAPI is docs/asyncapi.yaml.
type asyncAPI struct {
	t        *testing.T
	doc      map[string]any
	compiler *jsonschema.Compiler
	// seen are the properties that were validated, by message.
	seen map[string]map[string]bool
}

func loadAsyncAPI(t *testing.T) *asyncAPI {
	t.Helper()
	text, err := os.ReadFile("../../docs/asyncapi.yaml")
	require.NoError(t, err)
	var raw any
	require.NoError(t, yaml.Unmarshal(text, &raw))
	// The schema library wants what encoding/json decodes to.
	encoded, err := json.Marshal(raw)
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(encoded)))
	require.NoError(t, err)
	closeObjects(doc)
	a := &asyncAPI{t: t, doc: doc.(map[string]any), compiler: jsonschema.NewCompiler(), seen: map[string]map[string]bool{}}
	require.NoError(t, a.compiler.AddResource("asyncapi", doc))
	return a
}

// closeObjects makes properties that a schema does not name an error. Clients must tolerate them, but the document must
// list everything that this server sends.
func closeObjects(node any) {
	switch node := node.(type) {
	case map[string]any:
		_, open := node["additionalProperties"]
		if _, has := node["properties"].(map[string]any); has && !open {
			node["additionalProperties"] = false
		}
		for _, child := range node {
			closeObjects(child)
		}
	case []any:
		for _, child := range node {
			closeObjects(child)
		}
	}
}

// at returns what a reference such as `#/channels/acks` refers to, following further references.
func (a *asyncAPI) at(ref string) (node map[string]any, final string) {
	a.t.Helper()
	node = a.doc
	for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		child, ok := node[step].(map[string]any)
		require.True(a.t, ok, "%s leads nowhere at %q", ref, step)
		node = child
	}
	if next, ok := node["$ref"].(string); ok {
		return a.at(next)
	}
	return node, ref
}

// names are the keys of a channel's messages, sorted: events are called so.
func (a *asyncAPI) names(channel string) []string {
	node, _ := a.at("#/channels/" + channel + "/messages")
	return slices.Sorted(maps.Keys(node))
}

// replyTo is the reference to the message that answers an event if all is well.
func (a *asyncAPI) replyTo(event string) string {
	a.t.Helper()
	operations, _ := a.at("#/operations")
	for _, operation := range operations {
		o := operation.(map[string]any)
		for _, m := range o["messages"].([]any) {
			if m.(map[string]any)["$ref"] == "#/channels/fromClients/messages/"+event {
				replies := o["reply"].(map[string]any)["messages"].([]any)
				return replies[0].(map[string]any)["$ref"].(string)
			}
		}
	}
	require.Fail(a.t, "no operation", event)
	return ""
}

// payload is the schema of a message's payload.
func (a *asyncAPI) payload(message string) (schema map[string]any, ref string) {
	a.t.Helper()
	_, ref = a.at(message)
	return a.at(ref + "/payload")
}

// check validates a payload as it is on the wire.
func (a *asyncAPI) check(message string, wire []byte) error {
	a.t.Helper()
	_, ref := a.payload(message)
	schema, err := a.compiler.Compile("asyncapi" + ref)
	require.NoError(a.t, err)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(wire)))
	require.NoError(a.t, err, "%s", wire)
	if object, ok := value.(map[string]any); ok {
		if a.seen[message] == nil {
			a.seen[message] = map[string]bool{}
		}
		for name := range object {
			a.seen[message][name] = true
		}
	}
	return schema.Validate(value)
}

// requireAllSeen requires that every property that the message may have was there in what was checked.
func (a *asyncAPI) requireAllSeen(message string) {
	a.t.Helper()
	require.Equal(a.t, a.properties(message), slices.Sorted(maps.Keys(a.seen[message])), "the properties of %s", message)
}

// object is the form of the message's payload that is an object.
func (a *asyncAPI) object(message string) map[string]any {
	a.t.Helper()
	schema, _ := a.payload(message)
	forms, _ := schema["oneOf"].([]any)
	for _, form := range forms {
		f := form.(map[string]any)
		if ref, ok := f["$ref"].(string); ok {
			f, _ = a.at(ref)
		}
		if f["type"] == "object" {
			return f
		}
	}
	return schema
}

// requires reports whether the message must have the property.
func (a *asyncAPI) requires(message, property string) bool {
	a.t.Helper()
	required, _ := a.object(message)["required"].([]any)
	return slices.Contains(required, any(property))
}

func (a *asyncAPI) properties(message string) []string {
	a.t.Helper()
	properties, _ := a.object(message)["properties"].(map[string]any)
	return slices.Sorted(maps.Keys(properties))
}

// examples are the payloads that the document shows, as JSON.
func (a *asyncAPI) examples(message string) [][]byte {
	a.t.Helper()
	schema, _ := a.payload(message)
	shown, _ := schema["examples"].([]any)
	require.NotEmpty(a.t, shown, "the document shows no %s", message)
	all := make([][]byte, len(shown))
	for i, example := range shown {
		encoded, err := json.Marshal(example)
		require.NoError(a.t, err)
		all[i] = encoded
	}
	return all
}
