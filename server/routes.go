package server

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// routePlain routes what is not in openapi.yaml. None of it needs a token.
func routePlain(e *echo.Echo, cfg Config) {
	reads := []string{http.MethodGet, http.MethodHead}
	e.Match(reads, "/healthz", func(c echo.Context) error { return writeStatus(c, http.StatusOK, "ok") })
	inTime := middleware.ContextTimeout(cfg.RequestTimeout)
	e.Match(reads, "/readyz", serveReadiness(cfg), inTime)
	e.Match(reads, "/api/media/:uuid/", serveImage(cfg), inTime)
	e.Match(reads, "/api/schema/", serveSchema(cfg))
	routeDocs(e, reads)
}

// serveReadiness says whether requests can be served: the database answers, and the server doesn't drain.
func serveReadiness(cfg Config) echo.HandlerFunc {
	return func(c echo.Context) error {
		if cfg.Draining() {
			return writeStatus(c, http.StatusServiceUnavailable, "draining")
		}
		if err := cfg.Store.Ping(c.Request().Context()); err != nil {
			return err
		}
		return writeStatus(c, http.StatusOK, "ok")
	}
}

// writeStatus answers a health check.
func writeStatus(c echo.Context, code int, status string) error {
	return c.Blob(code, echo.MIMEApplicationJSON, []byte(`{"status":"`+status+"\"}\n"))
}

// serveImage serves an uploaded image. Caches may keep it for ever, since a URL never gets other bytes.
// The headers keep a browser from taking it for anything but an image.
func serveImage(cfg Config) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, err := uuidParam(c, "uuid")
		if err != nil {
			return err
		}
		image, err := cfg.Store.Image(c.Request().Context(), id)
		if err != nil {
			return err
		}
		c.Response().Header().Set(echo.HeaderContentSecurityPolicy, "default-src 'none'; sandbox")
		return asset{
			mediaType: image.MediaType, etag: `"` + image.SHA256 + `"`, content: image.Bytes,
			cacheControl: "public, max-age=31536000, immutable",
		}.serve(c)
	}
}

// routeMissingSlashes redirects to a path that exists with a slash at its end.
func routeMissingSlashes(e *echo.Echo) {
	for _, route := range e.Routes() {
		if bare := strings.TrimSuffix(route.Path, "/"); bare != "" && bare != route.Path {
			e.RouteNotFound(bare, redirectToSlash)
		}
	}
}

// redirectToSlash answers 301 to GET and HEAD, and 308, which keeps method and body, to the rest.
func redirectToSlash(c echo.Context) error {
	r := c.Request()
	target := r.URL.EscapedPath() + "/"
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	status := http.StatusPermanentRedirect
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		status = http.StatusMovedPermanently
	}
	return c.Redirect(status, target)
}
