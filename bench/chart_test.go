package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func TestChart(t *testing.T) {
	var records []record
	for _, engine := range []string{sqlite, postgres} {
		for i, op := range operations {
			for j, rows := range []int{1000, 100_000} {
				records = append(records, record{Operation: op.name, Engine: engine, Rows: rows, OneClientP50: 0.07 * math.Pow(1.4, float64(i)) * float64(j+1)})
			}
		}
	}
	picture, err := drawGrowth(records)
	if err != nil {
		t.Fatal(err)
	}
	circles := 0
	for decoder := xml.NewDecoder(strings.NewReader(string(picture))); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "circle" {
			circles++
		}
	}
	if want := 2 + len(records); circles != want {
		t.Errorf("%d circles, not %d", circles, want)
	}
	for _, text := range []string{">SQLite<", ">Postgres<", ">add_delete_user<", "100,000 organisations", "2.0×", "prefers-color-scheme: dark"} {
		if !strings.Contains(string(picture), text) {
			t.Errorf("no %s", text)
		}
	}
}
