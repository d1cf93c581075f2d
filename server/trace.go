package server

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/opencalls/opencalls/handlers"
)

// traceRequests makes a span of each request, part of the trace that its traceparent names. It comes before the
// log, whose lines name the trace.
func traceRequests(tracers trace.TracerProvider) echo.MiddlewareFunc {
	tracer := tracers.Tracer("github.com/opencalls/opencalls/server")
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
			ctx, span := tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
				semconv.HTTPRequestMethodKey.String(r.Method),
				semconv.URLPath(r.URL.Path), // without the query, which may hold secrets
			))
			defer span.End()
			c.SetRequest(r.WithContext(ctx))
			err := next(c)
			status := c.Response().Status
			span.SetAttributes(
				semconv.HTTPResponseStatusCode(status),
				attribute.String("request_id", handlers.RequestFrom(ctx).ID),
			)
			if route := c.Path(); route != "" {
				span.SetAttributes(semconv.HTTPRoute(route))
			}
			if operation := handlers.RequestFrom(ctx).Operation; operation != "" {
				span.SetName(operation)
			}
			if status >= http.StatusInternalServerError {
				span.SetStatus(codes.Error, "")
			}
			return err
		}
	}
}
