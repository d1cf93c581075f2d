package store_test

import (
	"context"
	"testing"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/store/storetest"
)

func TestSmoke(t *testing.T) {
	storetest.Each(t, func(t *testing.T, engine string) {
		clock := storetest.NewClock()
		var st storetest.Statements
		s := storetest.Open(t, engine, clock.Use, storetest.Sequence, st.Use)
		w := storetest.NewWorld(t, s)
		o := w.Organisation(w.Customer("University of Tartu"))
		alice := w.User("alice")
		w.Grant(alice, w.Role("CUSTOMER.CALL_ORGANIZER"), o)
		w.Token(alice)
		w.Organisations(1000)
		w.Members(o, w.Role("CUSTOMER.CALL_ORGANIZER"), 600)
		st.Reset()
		list, total, err := s.ListOrganisations(context.Background(), store.OrganisationFilter{}, nil, store.Page{Number: 1, Size: 10})
		t.Log(len(list), total, err, st.All())
		t.Log(len(storetest.URL(t, engine)))
	})
}
