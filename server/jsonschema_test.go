package server_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/opencalls/opencalls"
)

// jsonSchemas holds answers against openapi.yaml with a second library, whose mistakes are others than
// those of the one that the server uses.
type jsonSchemas struct {
	mu       sync.Mutex
	document map[string]any
	compiler *jsonschema.Compiler
}

const documentURL = "file:///openapi.yaml"

var secondValidator = func() *jsonSchemas {
	var document map[string]any
	if err := yaml.Unmarshal(opencalls.OpenAPI, &document); err != nil {
		panic(err)
	}
	nullableTypes(document)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft4)
	compiler.AssertFormat()
	if err := compiler.AddResource(documentURL, document); err != nil {
		panic(err)
	}
	return &jsonSchemas{document: document, compiler: compiler}
}()

// nullableTypes writes OpenAPI's nullable as JSON Schema has it.
func nullableTypes(value any) {
	switch value := value.(type) {
	case map[string]any:
		if value["nullable"] == true {
			value["type"] = []any{value["type"], "null"}
		}
		for _, child := range value {
			nullableTypes(child)
		}
	case []any:
		for _, child := range value {
			nullableTypes(child)
		}
	}
}

// check says how the body of an answer differs from its schema.
func (s *jsonSchemas) check(path, method string, status int, content []byte) error {
	place := []string{"paths", path, strings.ToLower(method), "responses", strconv.Itoa(status)}
	if ref, isRef := s.at(place)["$ref"].(string); isRef {
		place = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
	}
	place = append(place, "content", "application/json", "schema")
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	pointer := documentURL + "#"
	for _, part := range place {
		pointer += "/" + escape.Replace(part)
	}
	s.mu.Lock()
	schema, err := s.compiler.Compile(pointer)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	body, err := jsonschema.UnmarshalJSON(strings.NewReader(string(content)))
	if err == nil {
		err = schema.Validate(body)
	}
	if err != nil {
		return fmt.Errorf("%s %s, status %d, by the second validator: %w", method, path, status, err)
	}
	return nil
}

func (s *jsonSchemas) at(place []string) map[string]any {
	value := s.document
	for _, part := range place {
		value, _ = value[part].(map[string]any)
	}
	return value
}

// hasBody says that the answer is JSON.
func hasBody(response *http.Response, content []byte) bool {
	return len(content) > 0 && strings.HasPrefix(response.Header.Get("Content-Type"), "application/json")
}
