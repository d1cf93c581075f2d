package main

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/XSAM/otelsql"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// traceFlushTimeout is how long the spans of the last requests may take to reach the collector.
const traceFlushTimeout = 3 * time.Second

// tracesWanted says whether OpenTelemetry's own variables name a collector, or an error where they ask for what
// there isn't.
func tracesWanted() (bool, error) {
	exporter := os.Getenv("OTEL_TRACES_EXPORTER")
	endpoint := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT"))
	protocol := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"))
	switch {
	case strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true"), exporter == "none", exporter == "" && endpoint == "":
		return false, nil
	case exporter != "" && exporter != "otlp":
		return false, errors.New("OTEL_TRACES_EXPORTER: want otlp or none")
	case protocol != "" && protocol != "http/protobuf":
		return false, errors.New("OTEL_EXPORTER_OTLP_PROTOCOL: want http/protobuf")
	}
	return true, nil
}

// startTraces returns what makes spans and sends them to a collector, and what ends that; nil where no traces are
// wanted. The first span that is lost is a warning in the log.
func startTraces(ctx context.Context, log *slog.Logger) (traces trace.TracerProvider, stop func(), err error) {
	if wanted, err := tracesWanted(); err != nil || !wanted {
		return nil, func() {}, err
	}
	var once sync.Once
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		once.Do(func() { log.Warn("traces are lost; this is said once", "error", withoutSecrets(err.Error())) })
	}))
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nil, err
	}
	service, err := resource.New(ctx,
		resource.WithAttributes(semconv.ServiceName("opencalls"), semconv.ServiceVersion(version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, nil, err
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(service))
	return provider, func() {
		flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), traceFlushTimeout)
		defer cancel()
		if err := provider.Shutdown(flush); err != nil {
			otel.Handle(err)
		}
	}, nil
}

// tracedConnector makes a span of each statement, without its arguments.
func tracedConnector(c driver.Connector, traces trace.TracerProvider) driver.Connector {
	wrapped := otelsql.WrapDriver(connectorDriver{c}, otelsql.WithTracerProvider(traces), otelsql.WithSpanOptions(otelsql.SpanOptions{
		DisableErrSkip: true, OmitConnResetSession: true, OmitConnPrepare: true, OmitRows: true, OmitConnectorConnect: true,
	}))
	connector, _ := wrapped.(driver.DriverContext).OpenConnector("") // never fails
	return connector
}

// connectorDriver is a connector as otelsql wants it.
type connectorDriver struct{ driver.Connector }

// Open connects.
func (d connectorDriver) Open(string) (driver.Conn, error) { return d.Connect(context.Background()) }

// OpenConnector returns the connector, whatever the name is.
func (d connectorDriver) OpenConnector(string) (driver.Connector, error) { return d.Connector, nil }
