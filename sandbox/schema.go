package sandbox

import (
	"encoding/json"
	"maps"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/opencalls/opencalls/gen"
	api "github.com/opencalls/opencalls/gen/sandbox"
)

// mergedSchema is openapi.yaml with what sandbox.yaml adds. What both have is the same in both.
var mergedSchema = sync.OnceValues(func() (asYAML, asJSON []byte) {
	merged, added := document(gen.GetSpecJSON), document(api.GetSpecJSON)
	merged["tags"] = append(merged["tags"].([]any), added["tags"].([]any)...)
	maps.Copy(merged["paths"].(map[string]any), added["paths"].(map[string]any))
	components := merged["components"].(map[string]any)
	for kind, values := range added["components"].(map[string]any) {
		maps.Copy(components[kind].(map[string]any), values.(map[string]any))
	}
	asYAML, _ = yaml.Marshal(merged) // both were read from JSON
	asJSON, _ = json.Marshal(merged)
	return asYAML, asJSON
})

// document reads a file that the program holds.
func document(read func() ([]byte, error)) map[string]any {
	text, _ := read()
	var value map[string]any
	_ = yaml.Unmarshal(text, &value) // JSON is YAML; numbers stay as they are written
	return value
}
