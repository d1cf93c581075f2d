package server

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/opencalls/opencalls/handlers"
)

// setHeaders sets what every answer tells browsers and caches. Images and the documentation
// replace Cache-Control.
func (cfg Config) setHeaders(c echo.Context) error {
	header := c.Response().Header()
	header.Set(echo.HeaderXContentTypeOptions, "nosniff")
	header.Set(echo.HeaderReferrerPolicy, "no-referrer")
	header.Set(echo.HeaderCacheControl, "no-store") // it depends on the token
	if strings.HasPrefix(handlers.RequestFrom(c.Request().Context()).Origin, "https:") {
		header.Set(echo.HeaderStrictTransportSecurity, "max-age=31536000")
	}
	if cfg.Draining() {
		header.Set(echo.HeaderConnection, "close") // so that clients go to another server
	}
	return nil
}

// crossOrigin lets pages of some origins use the API from a browser, with any headers. It is off if there
// are no origins.
func crossOrigin(cfg Config) echo.MiddlewareFunc {
	if len(cfg.CORSOrigins) == 0 {
		return func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	}
	return middleware.CORSWithConfig(middleware.CORSConfig{
		Skipper: func(c echo.Context) bool {
			return c.Request().Method == http.MethodOptions && !isPreflight(c.Request())
		},
		AllowOrigins: cfg.CORSOrigins,
		AllowMethods: []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		},
		ExposeHeaders: []string{
			"X-Result-Count", "Link", echo.HeaderLocation, echo.HeaderXRequestID, echo.HeaderRetryAfter,
		},
		MaxAge: 600,
	})
}

// isPreflight tells a browser's question from other OPTIONS requests, which ask for a path's methods.
func isPreflight(r *http.Request) bool {
	return r.Header.Get(echo.HeaderOrigin) != "" && r.Header.Get(echo.HeaderAccessControlRequestMethod) != ""
}
