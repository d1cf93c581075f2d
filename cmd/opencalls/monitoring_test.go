package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/store/storetest"
	"github.com/opencalls/opencalls/tests/world"
)

// monitoring is the folder of the dashboard and the alerts.
const monitoring = "../../deploy/"

// alerts are the expressions of the alerts by their names.
func alerts(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile(monitoring + "prometheus-alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	expressions := map[string]string{}
	for _, rule := range file.Groups[0].Rules {
		expressions[rule.Alert] = rule.Expr
	}
	return expressions
}

// panels are the expressions of the dashboard by the titles of their panels, as Prometheus gets them.
func panels(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile(monitoring + "grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ RefID, Expr string }
		}
	}
	if err := json.Unmarshal(content, &dashboard); err != nil {
		t.Fatal(err)
	}
	expressions := map[string]string{}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			expression := strings.NewReplacer("$__rate_interval", "1m", "$instance", ".*").Replace(target.Expr)
			expressions[panel.Title+" "+target.RefID] = expression
		}
	}
	return expressions
}

// promtool runs Prometheus's own check.
func promtool(t *testing.T, arguments ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "promtool", arguments...).CombinedOutput(); err != nil {
		t.Errorf("%v (Debian has promtool in its package prometheus):\n%s", err, out)
	}
}

// Prometheus reads the alerts and the dashboard's expressions. Each alert fires in its trouble, and none otherwise.
func TestPrometheusReadsAlertsAndDashboard(t *testing.T) {
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", monitoring+"prometheus-alerts.yaml")
	promtool(t, "test", "rules", monitoring+"prometheus-alerts.test.yaml")
	type rule struct{ Record, Expr string }
	var rules []rule
	for _, expression := range panels(t) {
		rules = append(rules, rule{fmt.Sprint("panel", len(rules)), expression})
	}
	file := filepath.Join(t.TempDir(), "dashboard.yaml")
	content, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", file)
}

var (
	metricName = regexp.MustCompile(`\b(?:opencalls|go|process)_[a-z_]+`)
	labelName  = regexp.MustCompile(`([a-z_]+)(?:=|!=|=~|!~)"`)
	groupings  = regexp.MustCompile(`(?:by|on|group_left) \(([^)]*)\)`)
)

// The metrics and labels that the alerts and the dashboard name are those of the program under load. The documents
// say what each alert means.
func TestMonitoringNamesWhatIsThere(t *testing.T) {
	expressions := panels(t)
	operations, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for alert, expression := range alerts(t) {
		expressions[alert] = expression
		if !strings.Contains(string(operations), "| `"+alert+"` |") {
			t.Errorf("docs/operations.md does not explain %s", alert)
		}
	}
	storetest.Each(t, func(t *testing.T, engine string) {
		p, metrics := startMeasured(t, "--database-url="+storetest.URL(t, engine))
		p.load(t)
		names, labels := []string{"up"}, []string{"job", "instance"} // by Prometheus itself
		for series := range scrape(t, metrics, "") {
			name, _, _ := strings.Cut(series, "{")
			names = append(names, name)
			labels = append(labels, labelsIn(series)...)
		}
		for what, expression := range expressions {
			named := metricName.FindAllString(expression, -1)
			if len(named) == 0 && !strings.HasPrefix(expression, "up{") {
				t.Errorf("%s names no metric: %s", what, expression)
			}
			for _, name := range named {
				if !slices.Contains(names, name) {
					t.Errorf("%s: there is no metric %s", what, name)
				}
			}
			for _, label := range labelsIn(expression) {
				if !slices.Contains(labels, label) {
					t.Errorf("%s: there is no label %s", what, label)
				}
			}
		}
	})
}

// labelsIn are the labels that an expression or a time series names.
func labelsIn(text string) (labels []string) {
	for _, found := range labelName.FindAllStringSubmatch(text, -1) {
		labels = append(labels, found[1])
	}
	for _, found := range groupings.FindAllStringSubmatch(text, -1) {
		labels = append(labels, strings.Split(found[1], ", ")...)
	}
	return labels
}

// load sends requests of many kinds, several at once.
func (p process) load(t *testing.T) {
	t.Helper()
	organisation := organisations + fixture.DemoOrganisation + "/"
	requests := []world.Request{
		{Method: http.MethodGet, Target: organisations}, {Method: http.MethodGet, Target: organisation}, {Method: http.MethodGet, Target: "/readyz"},
		{Method: http.MethodPatch, Target: organisation, Body: world.JSON(`{"description":"new"}`)},
		{Method: http.MethodPatch, Target: organisation, Body: world.JSON(`{"description":5}`)}, {Method: http.MethodGet, Target: "/nowhere"},
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for _, r := range slices.Repeat(requests, 5) {
				r.Token = fixture.DemoStaffToken
				if _, err := world.NewClient(p.Address).Send(r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}
