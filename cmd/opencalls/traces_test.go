package main

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/opencalls/opencalls/cmd/opencalls/programtest"
	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/store/storetest"
)

// spans are what a collector got.
type spans struct {
	mu   sync.Mutex
	all  []*trace.Span
	text strings.Builder
}

// ServeHTTP is an OTLP collector's.
func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var sent collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &sent) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.WriteString(sent.String())
	for _, resource := range sent.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			s.all = append(s.all, scope.Spans...)
		}
	}
}

// of are the spans of a trace: that of the request by its kind, and those of its statements.
func (s *spans) of(traceID string) (request *trace.Span, statements []*trace.Span) {
	for _, span := range s.all {
		if hex.EncodeToString(span.TraceId) != traceID {
			continue
		}
		if span.Kind == trace.Span_SPAN_KIND_SERVER {
			request = span
		} else {
			statements = append(statements, span)
		}
	}
	return request, statements
}

// A request and each of its statements is a span of the trace that the client began, and the log names the trace.
// No span holds what was searched for, nor a token.
func TestTraces(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		var got spans
		endpoint := httptest.NewServer(&got)
		defer endpoint.Close()
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.URL)
		p := start(t, "--demo", "--database-url="+storetest.URL(t, engine))
		const traceID, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.Address+organisations+"?customer_keyword=sought", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Token "+fixture.DemoStaffToken)
		request.Header.Set("Traceparent", "00-"+traceID+"-"+parent+"-01")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		p.Stop(t) // sends the spans

		span, statements := got.of(traceID)
		if span == nil || span.Name != "call_managing_organisations_list" || hex.EncodeToString(span.ParentSpanId) != parent {
			t.Fatalf("the request's span is %v", span)
		}
		if len(statements) < 2 {
			t.Errorf("%d spans of statements", len(statements))
		}
		for _, secret := range []string{fixture.DemoStaffToken, "sought"} {
			if strings.Contains(got.text.String(), secret) {
				t.Errorf("%s is in a span", secret)
			}
		}
		if !strings.Contains(p.Log.String(), `"trace_id":"`+traceID+`"`) {
			t.Errorf("no line of the log names the trace: %s", p.Log.String())
		}
	})
}

// Without a collector at the address there is one warning, and all goes on.
func TestTracesWithoutACollector(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
	p := start(t, "--demo", "--database-url=sqlite::memory:")
	for range 3 {
		if status, body := get(t, p.Address+organisations, fixture.DemoStaffToken); status != http.StatusOK {
			t.Errorf("%d %s", status, body)
		}
		time.Sleep(20 * time.Millisecond)
	}
	begun := time.Now()
	p.Stop(t)
	if took := time.Since(begun); took > 2*traceFlushTimeout {
		t.Errorf("it took %s to stop", took)
	}
	if n := strings.Count(p.Log.String(), `"level":"WARN"`); n != 1 || !strings.Contains(p.Log.String(), "traces are lost") {
		t.Errorf("%d warnings: %s", n, p.Log.String())
	}
}

// Traces are off where OpenTelemetry's own variables say so.
func TestTracesSwitchedOff(t *testing.T) {
	var got spans
	endpoint := httptest.NewServer(&got)
	defer endpoint.Close()
	for name, value := range map[string]string{"OTEL_SDK_DISABLED": "True", "OTEL_TRACES_EXPORTER": "none"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.URL)
			t.Setenv(name, value)
			p := start(t, "--database-url=sqlite::memory:")
			get(t, p.Address+"/readyz", "")
			p.Stop(t)
			if len(got.all) > 0 {
				t.Errorf("%d spans", len(got.all))
			}
		})
	}
}

// What the variables ask for and there isn't is refused.
func TestTracesOfAnotherKind(t *testing.T) {
	for name, value := range map[string]string{"OTEL_TRACES_EXPORTER": "zipkin", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"} {
		environment := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", name + "=" + value}
		r := programtest.CommandIn(t, t.TempDir(), environment, "serve", "--listen=127.0.0.1:0", "--database-url=sqlite::memory:")
		if r.Status != exitUsage || !strings.Contains(r.Stderr, name) {
			t.Errorf("%s=%s: exit %d: %s", name, value, r.Status, r.Stderr)
		}
	}
}
