package server

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/opencalls/opencalls/access"
	"github.com/opencalls/opencalls/handlers"
)

// logRequests writes one line per request, with the cause of a 5xx. Errors become answers here, so that
// the line has the status.
func logRequests(cfg Config) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			start := time.Now()
			err := next(c)
			if err != nil {
				c.Error(err)
			}
			r, status := c.Request(), c.Response().Status
			attributes := append(make([]slog.Attr, 0, 10),
				slog.String("request_id", handlers.RequestFrom(r.Context()).ID),
				slog.String("method", r.Method),
				slog.String("path", r.URL.Path), // without the query, which may hold secrets
				slog.Int("status", status),
				slog.Int64("bytes", c.Response().Size),
				slog.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000),
				slog.String("remote", c.RealIP()),
			)
			if user := access.From(r.Context()).UserUUID; user != [16]byte{} {
				attributes = append(attributes, slog.String("user", user.String()))
			}
			level := slog.LevelInfo
			if status >= 500 && err != nil {
				level = slog.LevelError
				attributes = append(attributes, slog.String("error", err.Error()))
			}
			cfg.Logger.LogAttrs(r.Context(), level, "request", attributes...)
			return nil
		}
	}
}

// recoverPanics makes an error of a panic, with the stack for the log.
func recoverPanics() echo.MiddlewareFunc {
	return middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisableStackAll:     true,
		DisableErrorHandler: true, // the error goes on to logRequests
		LogErrorFunc: func(_ echo.Context, cause error, stack []byte) error {
			return fmt.Errorf("panic: %v\n%s", cause, stack) //nolint:errorlint // it is no error with a meaning
		},
	})
}
