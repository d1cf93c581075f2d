package server

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"go.opentelemetry.io/otel/trace"

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
			level := levelOf(c, err)
			if ctx := c.Request().Context(); cfg.Logger.Enabled(ctx, level) {
				cfg.Logger.LogAttrs(ctx, level, "request", describe(c, err, time.Since(start))...)
			}
			return nil
		}
	}
}

// levelOf is how much a request matters. Those of health checks come every second.
func levelOf(c echo.Context, err error) slog.Level {
	switch {
	case c.Response().Status >= http.StatusInternalServerError && err != nil:
		return slog.LevelError
	case isHealthCheck(c.Request()):
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// describe is what the log shows of a request and its answer.
func describe(c echo.Context, err error, duration time.Duration) []slog.Attr {
	r, status := c.Request(), c.Response().Status
	request := handlers.RequestFrom(r.Context())
	attributes := []slog.Attr{
		slog.String("request_id", request.ID),
		slog.String("method", r.Method),
		slog.String("path", r.URL.Path), // without the query, which may hold secrets
		slog.Int("status", status),
		slog.Int64("bytes", c.Response().Size),
		slog.Float64("duration_ms", float64(duration.Microseconds())/1000),
		slog.String("remote", c.RealIP()),
	}
	add := func(name, value string) {
		if value != "" {
			attributes = append(attributes, slog.String(name, value))
		}
	}
	add("operation", request.Operation)
	add("query", request.Shown)
	add("user_agent", userAgent(r))
	if span := trace.SpanContextFromContext(r.Context()); span.IsValid() {
		add("trace_id", span.TraceID().String())
	}
	if user := access.From(r.Context()).UserUUID; user != uuid.Nil {
		add("user", user.String())
	}
	var problem *handlers.Problem
	if errors.As(err, &problem) {
		add("fields", strings.Join(slices.Sorted(maps.Keys(problem.Fields)), ","))
	}
	if status >= http.StatusInternalServerError && err != nil {
		add("error", err.Error())
	}
	return attributes
}

// userAgent is the header where it names a program and its version, such as curl/8.5.0. Anything else may be a
// token in the wrong place.
func userAgent(r *http.Request) string {
	if name, version, _ := strings.Cut(r.UserAgent(), "/"); name == "" || version == "" {
		return ""
	}
	return r.UserAgent()
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
