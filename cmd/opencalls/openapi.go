package main

import (
	"bytes"
	"encoding/json"
	"maps"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
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
	text, err := opencalls.OpenAPI, error(nil)
	if c.Bodies == "json" {
		text, err = jsonBodies()
	} else if c.Format == "json" {
		text, err = gen.GetSpecJSON()
	}
	if c.Bodies == "json" && c.Format == "yaml" && err == nil {
		var value any
		err = yaml.Unmarshal(text, &value) // JSON is YAML too
		if err == nil {
			text, err = yaml.Marshal(value)
		}
	}
	if err != nil {
		return err
	}
	_, err = env.stdout.Write(append(bytes.TrimSpace(text), '\n'))
	return err
}

// jsonBodies returns the file with JSON request bodies alone, as JSON, and without the schemas and
// examples that only other bodies use.
func jsonBodies() ([]byte, error) {
	spec, err := gen.GetSpec()
	if err != nil {
		return nil, err
	}
	for _, item := range spec.Paths.Map() {
		for _, operation := range item.Operations() {
			if operation.RequestBody != nil {
				maps.DeleteFunc(operation.RequestBody.Value.Content, func(mediaType string, _ *openapi3.MediaType) bool {
					return mediaType != echo.MIMEApplicationJSON
				})
			}
		}
	}
	text, err := json.Marshal(spec)
	isUsed := func(kind, name string) bool { return bytes.Contains(text, []byte(`"#/components/`+kind+"/"+name+`"`)) }
	maps.DeleteFunc(spec.Components.Schemas, func(name string, _ *openapi3.SchemaRef) bool {
		return !isUsed("schemas", name)
	})
	maps.DeleteFunc(spec.Components.Examples, func(name string, _ *openapi3.ExampleRef) bool {
		return !isUsed("examples", name)
	})
	if err == nil {
		text, err = json.Marshal(spec)
	}
	return text, err
}
