package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// MetricsFlags say where metrics are served.
type MetricsFlags struct {
	MetricsListen string `name:"metrics-listen" placeholder:"HOST:PORT" help:"Address on which metrics for Prometheus and profiles (pprof) are served, such as 127.0.0.1:9090; without it they are not. Neither needs a token."`
}

// AfterApply refuses what is no address.
func (f MetricsFlags) AfterApply() error {
	if f.MetricsListen == "" {
		return nil
	}
	_, err := checkAddress("--metrics-listen", f.MetricsListen)
	return err
}

// newRegistry returns metrics of the process. Each server has its own, or two in one process would count together.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	promauto.With(registry).NewGaugeVec(prometheus.GaugeOpts{
		Name: "opencalls_build_info",
		Help: "Always 1; the labels say what was built.",
	}, []string{"version", "revision", "goversion"}).WithLabelValues(version, revision, runtime.Version()).Set(1)
	return registry
}

// metricsHandler serves metrics and profiles. The command line, which pprof would show too, may hold the
// database's password.
func metricsHandler(registry *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// serveMetrics serves metrics and profiles, if they are wanted, until stop is called.
func (c serveCommand) serveMetrics(
	ctx context.Context, registry *prometheus.Registry, log *slog.Logger,
) (stop func(), err error) {
	if c.MetricsListen == "" {
		return func() {}, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.MetricsListen)
	if err != nil {
		return nil, fmt.Errorf("--metrics-listen: %w", err)
	}
	web := c.httpServer(metricsHandler(registry), log)
	log.Info("serving metrics", "address", "http://"+listener.Addr().String()+"/metrics")
	go func() {
		if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are served no more", "error", err.Error())
		}
	}()
	return func() { _ = web.Close() }, nil
}
