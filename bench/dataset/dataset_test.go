package dataset_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/opencalls/opencalls/bench/dataset"
	"github.com/opencalls/opencalls/fixture"
	"github.com/opencalls/opencalls/images"
	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

func TestDatasetIsTheSameEachTime(t *testing.T) {
	var first, again, other bytes.Buffer
	cfg := dataset.Config{Organisations: 50, Seed: 1, Now: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)}
	known, err := dataset.Write(&first, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := dataset.Write(&again, cfg); err != nil || !cmp.Equal(known, same) {
		t.Errorf("%v, %s", err, cmp.Diff(known, same))
	}
	cfg.Seed = 2
	if _, err := dataset.Write(&other, cfg); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), again.Bytes()) || bytes.Equal(first.Bytes(), other.Bytes()) {
		t.Error("the bytes don't follow from the configuration")
	}
	cfg.Common = 25
	other.Reset()
	if _, err := dataset.Write(&other, cfg); err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range bytes.Lines(other.Bytes()) { // a customer each, who may have it in two names
		if bytes.Contains(line, []byte(known.Keyword.Common)) {
			n++
		}
	}
	if n != cfg.Common {
		t.Errorf("%d names have the common keyword, not %d", n, cfg.Common)
	}
	if _, err := dataset.Write(&other, dataset.Config{Organisations: 9}); err == nil {
		t.Error("9 organisations are enough")
	}
}

func TestKnownIsThere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		const organisations = 1000
		clock := storetest.NewClock()
		s := storetest.Open(t, engine, clock.Use)
		var file bytes.Buffer
		known, err := dataset.Write(&file, dataset.Config{Organisations: organisations, Seed: 1, Now: clock.Now()})
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		err = s.Write(ctx, store.Actor{}, func(tx *store.Tx) error {
			source := &fixture.File{Name: "dataset.jsonl", Content: &file}
			_, err := fixture.Import(ctx, tx, []*fixture.File{source}, images.Limits{MaxBytes: 1, MaxPixels: 1}, nil)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		counts := map[string]int64{}
		count := func(name string, n int64, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			counts[name] = n
		}
		for name, keyword := range map[string]string{"all": "", "rare": strings.ToUpper(known.Keyword.Rare), "common": known.Keyword.Common} {
			n, err := s.CountOrganisations(ctx, store.OrganisationFilter{Keyword: keyword})
			count(name, n, err)
		}
		n, err := s.CountMembers(ctx, known.Organisation, store.MemberFilter{})
		count("members", n, err)
		n, err = s.CountMembers(ctx, known.Crowded, store.MemberFilter{})
		count("crowd", n, err)
		want := map[string]int64{"all": organisations, "rare": 10, "common": organisations / 20, "members": 5, "crowd": 5000}
		if diff := cmp.Diff(want, counts); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		stats, err := s.Stats(ctx, known.Organisation)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(store.Stats{OpenCalls: 4, ActiveRounds: 8, AcceptedProposals: 12, PendingProposals: 24, PendingReview: 168,
			RoundsClosingInOneWeek: 4, CallsClosingInOneWeek: 4, OfferingRequestsPending: 4}, stats); diff != "" {
			t.Errorf("stats (-want +got):\n%s", diff)
		}
		staff, err := s.Identity(ctx, store.Digest(known.StaffToken))
		if err != nil || !staff.IsStaff {
			t.Errorf("staff: %+v, %v", staff, err)
		}
		owner, err := s.Identity(ctx, store.Digest(known.OwnerToken))
		if err != nil || owner.IsStaff {
			t.Errorf("owner: %+v, %v", owner, err)
		}
		for _, id := range []uuid.UUID{known.Organisation, known.Crowded} {
			o, err := s.Organisation(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			if held, err := s.HeldRoles(ctx, owner.UUID, o.CustomerUUID, id); err != nil || len(held) != 1 || held[0].Name != "CUSTOMER.OWNER" {
				t.Errorf("the owner holds %v, %v", held, err)
			}
		}
		if len(known.Newcomers) != 64 {
			t.Errorf("%d newcomers", len(known.Newcomers))
		}
		for n := range organisations {
			if _, err := s.Organisation(ctx, dataset.Organisation(1, n)); err != nil {
				t.Errorf("organisation %d: %v", n, err)
			}
		}
		if known.Organisation == known.Crowded || dataset.Organisation(2, 0) == dataset.Organisation(1, 0) {
			t.Error("the same id twice")
		}
	})
}
