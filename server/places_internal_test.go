package server

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/access"
)

// One user gets a quarter of the places, others the rest; what is given back is free, once.
func TestPlaces(t *testing.T) {
	one, two := uuid.New(), uuid.New()
	for total, share := range map[int]int{1: 1, 2: 1, 7: 1, 8: 2, 256: 64} {
		p := newPlaces(total)
		var back []func()
		take := func(user uuid.UUID) error {
			giveBack, err := p.take(user)
			if err == nil {
				back = append(back, giveBack)
			}
			return err
		}
		for range share {
			if err := take(one); err != nil {
				t.Fatalf("%d places: %v", total, err)
			}
		}
		if err := take(one); !errors.Is(err, errNoRoom) {
			t.Errorf("%d places: one user has more than %d: %v", total, share, err)
		}
		if err := take(two); (err == nil) != (total > share) {
			t.Errorf("%d places: another user: %v", total, err)
		}
		for len(back) < total {
			if err := take(uuid.New()); err != nil {
				t.Fatalf("%d places, %d taken: %v", total, len(back), err)
			}
		}
		if err := take(uuid.New()); !errors.Is(err, errNoRoom) {
			t.Errorf("%d places: one too many: %v", total, err)
		}
		for _, giveBack := range back {
			giveBack()
			giveBack()
		}
		if p.taken != 0 || len(p.users) != 0 {
			t.Errorf("%d places: %d are taken after all, by %v", total, p.taken, p.users)
		}
	}
}

// A body that is closed once more gives back nothing of others.
func TestBodyClosedTwice(t *testing.T) {
	p := newPlaces(2)
	receiveOne := func() *receivedBody {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", largeBody)))
		b, err := receive(r.WithContext(access.With(r.Context(), access.Principal{UserUUID: uuid.New()})), 2*largeBody, p)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first, second := receiveOne(), receiveOne()
	for range 2 {
		_ = first.Close() // the file's own error the second time
		if p.taken != 1 {
			t.Errorf("%d places are taken", p.taken)
		}
	}
	if err := second.Close(); err != nil || p.taken != 0 {
		t.Errorf("%v; %d places are taken", err, p.taken)
	}
}
