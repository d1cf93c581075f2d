package server

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls"
	"github.com/opencalls/opencalls/gen"
	"github.com/opencalls/opencalls/handlers"
	"github.com/opencalls/opencalls/store"
)

// The media types of openapi.yaml: the registered one of each format, which a tool reads
// without being told, and Waldur's own, for who asks for it.
const (
	typeYAML        = "application/yaml"
	typeJSON        = "application/json"
	typeOpenAPI     = "application/vnd.oai.openapi"
	typeOpenAPIJSON = "application/vnd.oai.openapi+json"
)

// schemaAssets returns openapi.yaml in its formats, those first that a client gets which takes
// several equally.
var schemaAssets = sync.OnceValues(func() ([]asset, error) {
	text, err := gen.GetSpecJSON()
	return []asset{
		newAsset(typeYAML, opencalls.OpenAPI), newAsset(typeOpenAPI, opencalls.OpenAPI),
		newAsset(typeJSON, text), newAsset(typeOpenAPIJSON, text),
	}, err
})

// serveSchema serves openapi.yaml, in the format that ?format= names or else the client prefers.
// As in Waldur, what is asked for in an unknown format is not found.
func serveSchema(c echo.Context) error {
	offered, err := schemaAssets()
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderVary, echo.HeaderAccept)
	accept := strings.Join(c.Request().Header.Values(echo.HeaderAccept), ",")
	if formats, asked := c.QueryParams()["format"]; asked {
		switch formats[len(formats)-1] { // as everywhere, of a repeated parameter the last value counts
		case "yaml":
			accept = typeYAML
		case "json":
			accept = typeJSON
		default:
			return store.ErrNotFound
		}
	}
	chosen, ok := negotiate(accept, offered)
	if !ok {
		return &handlers.Problem{Status: http.StatusNotAcceptable, Detail: "Could not satisfy the request Accept header."}
	}
	return chosen.serve(c)
}

// negotiate returns what a client wants most by its Accept header. Of what it wants equally
// that counts which it names more exactly (`application/json, */*` asks for JSON), then what is
// offered first.
func negotiate(accept string, offered []asset) (best asset, found bool) {
	if strings.Trim(accept, " \t,") == "" {
		return offered[0], true
	}
	var bestQuality float64
	var bestExactness int
	for _, offer := range offered {
		quality, exactness := wanted(accept, offer.mediaType)
		if quality > bestQuality || quality == bestQuality && quality > 0 && exactness > bestExactness {
			best, found, bestQuality, bestExactness = offer, true, quality, exactness
		}
	}
	return best, found
}

// wanted returns the quality of the range that fits a media type most exactly, and how exactly:
// 3 for the type itself, 1 for any. What can't be read counts for nothing.
func wanted(accept, mediaType string) (quality float64, exactness int) {
	group, _, _ := strings.Cut(mediaType, "/")
	fits := map[string]int{mediaType: 3, group + "/*": 2, "*/*": 1}
	for text := range strings.SplitSeq(accept, ",") {
		name, parameters, err := mime.ParseMediaType(text)
		if err != nil || fits[name] <= exactness {
			continue
		}
		q := 1.0
		if value, given := parameters["q"]; given {
			if q, err = strconv.ParseFloat(value, 64); err != nil || !(q >= 0 && q <= 1) { // NaN is neither
				continue
			}
		}
		quality, exactness = q, fits[name]
	}
	return quality, exactness
}
