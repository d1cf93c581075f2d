package server

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/opencalls/opencalls/handlers"
	"github.com/opencalls/opencalls/store"
)

// routePlain routes what is not in openapi.yaml. None of it needs a token.
func routePlain(e *echo.Echo, cfg Config) {
	reads := []string{http.MethodGet, http.MethodHead}
	e.Match(reads, "/healthz", func(c echo.Context) error { return writeStatus(c, http.StatusOK, "ok") })
	database := &readiness{ping: cfg.Store.Ping, now: time.Now, timeout: cfg.RequestTimeout}
	e.Match(reads, "/readyz", func(c echo.Context) error {
		if cfg.draining() {
			return writeStatus(c, http.StatusServiceUnavailable, "draining")
		}
		if err := database.check(c.Request().Context()); err != nil {
			return err
		}
		return writeStatus(c, http.StatusOK, "ok")
	})
	e.Match(reads, "/api/media/:uuid/", serveImage(cfg), limitTime(cfg))
	e.Match(reads, "/api/schema/", serveSchema)
	routeDocs(e, reads)
}

// writeStatus answers a health check.
func writeStatus(c echo.Context, code int, status string) error {
	return c.Blob(code, echo.MIMEApplicationJSON, []byte(`{"status":"`+status+"\"}\n"))
}

// serveImage serves an uploaded image. Caches may keep it for ever, since a URL never gets other bytes.
// The headers keep a browser from taking it for anything but an image.
func serveImage(cfg Config) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, err := handlers.ParseUUID(pathParam(c, "uuid"))
		if err != nil {
			return store.ErrNotFound
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
	seen := map[string]bool{}
	for _, route := range e.Routes() {
		bare := strings.TrimSuffix(route.Path, "/")
		if bare == "" || bare == route.Path || seen[bare] {
			continue
		}
		seen[bare] = true
		e.RouteNotFound(bare, redirectToSlash)
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
