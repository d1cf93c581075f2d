package main

import (
	"github.com/opencalls/opencalls"
	"github.com/opencalls/opencalls/gen"
)

type openapiCommand struct {
	Format string `enum:"yaml,json" default:"yaml" help:"yaml or json."`
}

// Run prints the file that the server was made from.
func (c openapiCommand) Run(env environment) error {
	text := opencalls.OpenAPI
	if c.Format == "json" {
		var err error
		if text, err = gen.GetSpecJSON(); err != nil {
			return err
		}
		text = append(text, '\n')
	}
	_, err := env.stdout.Write(text)
	return err
}
