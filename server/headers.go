package server

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/opencalls/opencalls/handlers"
)

// secureHeaders sets what every answer tells browsers and caches. What is no answer of the API's
// (images, the documentation) says for itself how long it may be kept.
func secureHeaders() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			header := c.Response().Header()
			header.Set(echo.HeaderXContentTypeOptions, "nosniff")
			header.Set(echo.HeaderReferrerPolicy, "no-referrer")
			header.Set(echo.HeaderCacheControl, "no-store") // it depends on the token
			if strings.HasPrefix(handlers.RequestFrom(c.Request().Context()).Origin, "https:") {
				header.Set(echo.HeaderStrictTransportSecurity, "max-age=31536000")
			}
			return next(c)
		}
	}
}

// crossOrigin lets pages of some origins use the API from a browser. It is off without any.
func crossOrigin(cfg Config) echo.MiddlewareFunc {
	if len(cfg.CORSOrigins) == 0 {
		return func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	}
	return middleware.CORSWithConfig(middleware.CORSConfig{
		Skipper: func(c echo.Context) bool {
			return c.Request().Method == http.MethodOptions && !isPreflight(c.Request())
		},
		AllowOrigins: cfg.CORSOrigins,
		AllowMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowHeaders: []string{echo.HeaderAuthorization, echo.HeaderContentType, echo.HeaderXRequestID},
		ExposeHeaders: []string{
			"X-Result-Count", "Link", echo.HeaderLocation, echo.HeaderXRequestID, echo.HeaderRetryAfter,
		},
		MaxAge: 600,
	})
}

// isPreflight says that an OPTIONS request asks what a page may do, and not what a path has.
func isPreflight(r *http.Request) bool {
	return r.Header.Get(echo.HeaderOrigin) != "" && r.Header.Get(echo.HeaderAccessControlRequestMethod) != ""
}
