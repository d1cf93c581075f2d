package main

import (
	"bytes"
	"encoding/json"

	"go.yaml.in/yaml/v3"

	"github.com/opencalls/opencalls"
	"github.com/opencalls/opencalls/gen"
)

type openapiCommand struct {
	Format string `enum:"yaml,json" default:"yaml" help:"yaml or json."`
	Bodies string `enum:"all,json" default:"all" help:"json leaves forms out, for generators that take one body type: all or json."`
}

// Run prints the file that the server was made from.
func (c openapiCommand) Run(env environment) error {
	text := opencalls.OpenAPI
	var err error
	switch {
	case c.Bodies == "json":
		text, err = jsonBodies(text, c.Format)
	case c.Format == "json":
		text, err = gen.GetSpecJSON()
		text = append(text, '\n')
	}
	if err != nil {
		return err
	}
	_, err = env.stdout.Write(text)
	return err
}

// jsonBodies returns the file with JSON request bodies alone, and without the schemas and examples
// that only other bodies use.
func jsonBodies(text []byte, format string) ([]byte, error) {
	var file yaml.Node
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	used := map[string]bool{}
	walk(&file, func(name string, value *yaml.Node) {
		switch name {
		case "requestBody":
			if content := child(value, "content"); content != nil {
				keep(content, func(mediaType string) bool { return mediaType == "application/json" })
			}
		case "$ref":
			used[value.Value] = true
		}
	})
	for _, kind := range []string{"schemas", "examples"} {
		keep(child(child(file.Content[0], "components"), kind), func(name string) bool {
			return used["#/components/"+kind+"/"+name]
		})
	}
	var out bytes.Buffer
	if format == "json" {
		var value any
		if err := file.Decode(&value); err != nil {
			return nil, err
		}
		err := json.NewEncoder(&out).Encode(value)
		return out.Bytes(), err
	}
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	err := encoder.Encode(&file)
	return out.Bytes(), err
}

// walk visits each key of a node and of all below it; a key comes before what is below it.
func walk(node *yaml.Node, visit func(name string, value *yaml.Node)) {
	for i, part := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 {
			visit(part.Value, node.Content[i+1])
		}
		walk(part, visit)
	}
}

// child returns the value of a key, or nil.
func child(mapping *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// keep drops the keys of a mapping that are not wanted.
func keep(mapping *yaml.Node, wanted func(name string) bool) {
	var kept []*yaml.Node
	for i := 0; i < len(mapping.Content); i += 2 {
		if wanted(mapping.Content[i].Value) {
			kept = append(kept, mapping.Content[i:i+2]...)
		}
	}
	mapping.Content = kept
}
