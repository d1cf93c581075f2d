package store_test

import (
	"time"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

const week = 7 * 24 * time.Hour

var statsScenarios = []scenario{
	{"nothing, and no such organisation", func(r *rig) {
		o := r.world.organisation(r.world.customer("Tartu"))
		r.same(must(r.store.Stats(r.ctx, o.UUID)), store.Stats{})
		r.is(errorOf(r.store.Stats(r.ctx, uuid.New())), store.ErrNotFound)
	}},

	{"states", func(r *rig) {
		w, now := r.world, r.clock.Now()
		o, other := w.organisation(w.customer("Tartu")), w.organisation(w.customer("Other"))
		reviewer := w.user("reviewer")
		// The same in a call of each state and in another organisation: only one of them counts.
		for _, call := range []store.Call{w.call(o, "active"), w.call(o, "draft"), w.call(o, "archived"), w.call(other, "active")} {
			round := w.round(call, now.Add(-time.Hour), now.Add(time.Hour))
			for _, state := range []string{"draft", "team_verification", "submitted", "in_review", "accepted", "rejected", "canceled"} {
				proposal := w.proposal(round, state)
				for _, state := range []string{"created", "in_review", "submitted", "rejected"} {
					w.review(proposal, reviewer, state)
				}
			}
			for _, state := range []string{"requested", "requested", "accepted", "canceled"} {
				w.requestedOffering(call, state)
			}
		}
		got := must(r.store.Stats(r.ctx, o.UUID))
		r.same(got, store.Stats{
			OpenCalls: 1, ActiveRounds: 1, AcceptedProposals: 1, PendingProposals: 2, PendingReview: 14,
			RoundsClosingInOneWeek: 1, CallsClosingInOneWeek: 1, OfferingRequestsPending: 2,
		})
	}},

	{"both ends of a round and of the week count", func(r *rig) {
		w, now := r.world, r.clock.Now()
		const micro = time.Microsecond
		for _, c := range []struct {
			name          string
			start, cutoff time.Duration
			want          store.Stats
		}{
			{"starts now", 0, 2 * week, store.Stats{ActiveRounds: 1}},
			{"starts in a microsecond", micro, 2 * week, store.Stats{}},
			{"ends now", -week, 0, store.Stats{ActiveRounds: 1, RoundsClosingInOneWeek: 1, CallsClosingInOneWeek: 1}},
			{"ended a microsecond ago", -week, -micro, store.Stats{}},
			{"ends in a week", -week, week, store.Stats{ActiveRounds: 1, RoundsClosingInOneWeek: 1, CallsClosingInOneWeek: 1}},
			{"ends in a week and a microsecond", -week, week + micro, store.Stats{ActiveRounds: 1}},
			{"begins and ends within the week", time.Hour, week, store.Stats{RoundsClosingInOneWeek: 1, CallsClosingInOneWeek: 1}},
			{"lies in the future", week + micro, 2 * week, store.Stats{}},
			{"lies in the past", -2 * week, -week, store.Stats{}},
		} {
			r.each(c.name, func(r *rig) {
				o := w.organisation(w.customer("Tartu"))
				w.round(w.call(o, "active"), now.Add(c.start), now.Add(c.cutoff))
				c.want.OpenCalls = 1
				r.same(must(r.store.Stats(r.ctx, o.UUID)), c.want)
			})
		}
	}},

	{"a call with two closing rounds closes once", func(r *rig) {
		w, now := r.world, r.clock.Now()
		o := w.organisation(w.customer("Tartu"))
		for range 2 {
			call := w.call(o, "active")
			w.round(call, now.Add(-time.Hour), now.Add(time.Hour))
			w.round(call, now.Add(time.Hour), now.Add(2*time.Hour))
		}
		got := must(r.store.Stats(r.ctx, o.UUID))
		r.same(got, store.Stats{OpenCalls: 2, ActiveRounds: 2, RoundsClosingInOneWeek: 4, CallsClosingInOneWeek: 2})
		// It is the clock that counts, which moves on.
		r.clock.Advance(time.Hour + time.Microsecond)
		got = must(r.store.Stats(r.ctx, o.UUID))
		r.same(got, store.Stats{OpenCalls: 2, ActiveRounds: 2, RoundsClosingInOneWeek: 2, CallsClosingInOneWeek: 2})
	}},
}
