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
	if c.Request().Method == http.MethodHead {
		header.Set(echo.HeaderContentType, echo.MIMEApplicationJSON) // that of GET, where nothing replaces it
	}
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
	return middleware.CORSWithConfig(middleware.CORSConfig{
		Skipper: func(c echo.Context) bool {
			r := c.Request()
			preflight := r.Header.Get(echo.HeaderOrigin) != "" && r.Header.Get(echo.HeaderAccessControlRequestMethod) != ""
			// Other OPTIONS requests ask for a path's methods.
			return len(cfg.CORSOrigins) == 0 || r.Method == http.MethodOptions && !preflight
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
