package server

import (
	"errors"
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
				var panicked *panicError
				if errors.As(err, &panicked) {
					attributes = append(attributes, slog.String("stack", string(panicked.stack)))
				}
			}
			cfg.Logger.LogAttrs(r.Context(), level, "request", attributes...)
			return nil
		}
	}
}

// panicError is a panic on its way to the log.
type panicError struct {
	cause error
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.cause) }

func recoverPanics() echo.MiddlewareFunc {
	return middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisableStackAll:     true,
		DisableErrorHandler: true, // the error goes on to logRequests
		LogErrorFunc:        func(_ echo.Context, err error, stack []byte) error { return &panicError{err, stack} },
	})
}
