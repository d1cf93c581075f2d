package server

import (
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls"
	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/store"
)

// Spec returns openapi.yaml, which all servers of a process share: don't change it. Its error is a fault of
// the file.
var Spec = sync.OnceValues(gen.GetSpec)

// serveSchema serves openapi.yaml in the format that ?format= names, or else JSON where the Accept
// header names JSON and not YAML. An unknown format is not found, as in Waldur.
func serveSchema(cfg Config) echo.HandlerFunc {
	yaml := opencalls.OpenAPI
	json, _ := gen.GetSpecJSON() // Spec has read it already
	if cfg.Extension != nil {
		yaml, json = cfg.Extension.Schema()
	}
	assets := map[string]asset{
		"yaml": newAsset("application/yaml", yaml),
		"json": newAsset(echo.MIMEApplicationJSON, json),
	}
	return func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderVary, echo.HeaderAccept)
		format := "yaml"
		accept := strings.ToLower(strings.Join(c.Request().Header.Values(echo.HeaderAccept), ","))
		if strings.Contains(accept, "json") && !strings.Contains(accept, "yaml") {
			format = "json"
		}
		if formats, asked := c.QueryParams()["format"]; asked {
			format = formats[len(formats)-1]
		}
		schema, known := assets[format]
		if !known {
			return store.ErrNotFound
		}
		return schema.serve(c)
	}
}
