package server

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are what a server counts for Prometheus.
type metrics struct {
	requests   *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	inFlight   prometheus.Gauge
	violations *prometheus.CounterVec
	throttled  *prometheus.CounterVec

	operations map[route]string
}

// route is a method and a path, as the router writes it.
type route struct{ method, path string }

// newMetrics registers them, unless the registerer is nil.
func newMetrics(registerer prometheus.Registerer) *metrics {
	factory := promauto.With(registerer)
	return &metrics{
		requests: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "opencalls_http_requests_total",
			Help: "Requests answered, by operationId and status. What is served beside the API has its path there.",
		}, []string{"operation", "status"}),
		durations: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "opencalls_http_request_duration_seconds",
			Help:    "Time from the headers of a request to the end of its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"operation", "status"}),
		inFlight: factory.NewGauge(prometheus.GaugeOpts{
			Name: "opencalls_http_requests_in_flight",
			Help: "Requests that are not answered yet.",
		}),
		violations: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "opencalls_validation_failures_total",
			Help: "Requests and, with --validate-responses, responses that openapi.yaml refuses.",
		}, []string{"operation", "message"}),
		throttled: factory.NewCounterVec(prometheus.CounterOpts{
			Name: "opencalls_throttled_requests_total",
			Help: "Requests refused by the rate limit of tokens or that of addresses.",
		}, []string{"limit"}),
		operations: map[route]string{},
	}
}

// name has requests counted by their operationId, also where they are refused before their operation begins, and
// those beside openapi.yaml by their path.
func (m *metrics) name(routes []*echo.Route, spec *openapi3.T) {
	for _, r := range routes {
		m.operations[route{r.Method, r.Path}] = r.Path
	}
	parameters := strings.NewReplacer("{", ":", "}", "")
	for _, op := range operations(spec) {
		m.operations[route{op.route.Method, parameters.Replace(op.route.Path)}] = op.id
	}
}

// observe counts each request. A path or a method that is unknown is the operation none, or clients could make
// any number of time series.
func (m *metrics) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		m.inFlight.Inc()
		defer m.inFlight.Dec()
		err := next(c)
		operation := cmp.Or(m.operations[route{c.Request().Method, c.Path()}], "none")
		status := strconv.Itoa(c.Response().Status)
		m.requests.WithLabelValues(operation, status).Inc()
		m.durations.WithLabelValues(operation, status).Observe(time.Since(start).Seconds())
		return err
	}
}

// counted is a check whose refusals are counted.
func counted(refusals prometheus.Counter, check func(echo.Context) error) func(echo.Context) error {
	return func(c echo.Context) error {
		err := check(c)
		if err != nil {
			refusals.Inc()
		}
		return err
	}
}
