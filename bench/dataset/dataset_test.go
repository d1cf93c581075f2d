package dataset_test

import (
	"bytes"
	"context"
	"errors"
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
	if _, err := dataset.Write(&other, dataset.Config{Organisations: 9}); err == nil {
		t.Error("9 organisations are enough")
	}
}

func TestKnownIsThere(t *testing.T) {
	const organisations = 1000
	clock := storetest.NewClock()
	s := storetest.Open(t, storetest.SQLite, clock.Use)
	var file bytes.Buffer
	known, err := dataset.Write(&file, dataset.Config{Organisations: organisations, Seed: 1, Now: clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	err = s.Write(ctx, store.Actor{}, func(tx *store.Tx) error {
		files := []*fixture.File{{Name: "dataset.jsonl", Content: &file}}
		_, err := fixture.Import(ctx, tx, files, images.Limits{MaxBytes: 1, MaxPixels: 1}, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	type expected struct {
		All, Rare, Common, Members, Crowd int64
		Stats                             store.Stats
		Staff, Owner                      bool // is staff
	}
	var got expected
	var errs [8]error
	count := func(keyword string) (int64, error) {
		return s.CountOrganisations(ctx, store.OrganisationFilter{Keyword: keyword})
	}
	got.All, errs[0] = count("")
	got.Rare, errs[1] = count(strings.ToUpper(known.Keyword.Rare))
	got.Common, errs[2] = count(known.Keyword.Common)
	got.Members, errs[3] = s.CountMembers(ctx, store.ScopeOf{Kind: store.ScopeOrganisation, UUID: known.Organisation}, store.MemberFilter{})
	got.Crowd, errs[4] = s.CountMembers(ctx, store.ScopeOf{Kind: store.ScopeOrganisation, UUID: known.Crowded}, store.MemberFilter{})
	got.Stats, errs[5] = s.Stats(ctx, known.Organisation)
	staff, err := s.Identity(ctx, store.Digest(known.StaffToken))
	got.Staff, errs[6] = staff.IsStaff, err
	owner, err := s.Identity(ctx, store.Digest(known.OwnerToken))
	got.Owner, errs[7] = owner.IsStaff, err
	want := expected{organisations, 10, organisations / 20, 5, 5000, store.Stats{
		OpenCalls: 4, ActiveRounds: 8, AcceptedProposals: 12, PendingProposals: 24, PendingReview: 168,
		RoundsClosingInOneWeek: 4, CallsClosingInOneWeek: 4, OfferingRequestsPending: 4,
	}, true, false}
	if diff := cmp.Diff(want, got); diff != "" || errors.Join(errs[:]...) != nil {
		t.Errorf("%v (-want +got):\n%s", errors.Join(errs[:]...), diff)
	}
	for _, id := range []uuid.UUID{known.Organisation, known.Crowded} {
		o, err := s.Organisation(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		held, err := s.HeldRoles(ctx, owner.UUID, o.CustomerUUID, id)
		if err != nil || len(held) == 0 || held[0].Name != "CUSTOMER.OWNER" {
			t.Errorf("the owner holds %v, %v", held, err)
		}
	}
	for n := range organisations {
		if _, err := s.Organisation(ctx, dataset.Organisation(1, n)); err != nil {
			t.Errorf("organisation %d: %v", n, err)
		}
	}
}
