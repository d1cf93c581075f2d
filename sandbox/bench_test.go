package sandbox_test

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/opencalls/opencalls/bench/dataset"
	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/sandbox"
	"github.com/opencalls/opencalls/server"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

// A reset takes at most 5 ms with the demo world and 50 ms with 10,000 organisations. Something is changed
// before each and read after it.
func BenchmarkReset(b *testing.B) {
	limits := images.Limits{MaxBytes: 5 << 20, MaxPixels: 16_000_000}
	var text bytes.Buffer
	known, err := dataset.Write(&text, dataset.Config{Organisations: 10_000, Seed: 1, Now: time.Now()})
	if err != nil {
		b.Fatal(err)
	}
	for _, world := range []struct {
		name, organisation, token string
		load                      func(*store.Tx) error
	}{
		{"demo", fixture.DemoOrganisation, fixture.DemoStaffToken, func(tx *store.Tx) error {
			return fixture.Demo(b.Context(), tx, limits)
		}},
		{"10000", known.Organisation.String(), known.StaffToken, func(tx *store.Tx) error {
			file := &fixture.File{Name: "data.jsonl", Content: &text}
			_, err := fixture.Import(b.Context(), tx, []*fixture.File{file}, limits, nil)
			return err
		}},
	} {
		clock := &sandbox.Clock{}
		s := storetest.Open(b, storetest.SQLite, clock.Use)
		if err := s.Write(b.Context(), store.Actor{}, world.load); err != nil {
			b.Fatal(err)
		}
		box, err := sandbox.New(b.Context(), server.Config{Store: s, Logger: slog.New(slog.DiscardHandler)}, clock)
		if err != nil {
			b.Fatal(err)
		}
		send := func(method, body string) {
			r := httptest.NewRequest(method, list+world.organisation+"/", strings.NewReader(body))
			r.Header.Set("Authorization", "Token "+world.token)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			box.ServeHTTP(w, r)
			if w.Code != 200 {
				b.Fatalf("%s: %d %s", method, w.Code, w.Body)
			}
		}
		b.Run(world.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				send("PATCH", `{"description": "changed"}`)
				b.StartTimer()
				if err := box.Reset(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(world.name+"/read", func(b *testing.B) {
			for b.Loop() {
				if err := box.Reset(b.Context()); err != nil {
					b.Fatal(err)
				}
				send("GET", "")
			}
		})
	}
}
