package dataset

import (
	"fmt"

	"github.com/google/uuid"
)

// The states that there are of each kind.
var (
	callStates     = []string{"active", "active", "draft", "archived"}
	proposalStates = []string{"submitted", "in_review", "accepted", "rejected", "draft", "team_verification", "canceled"}
	reviewStates   = []string{"created", "in_review", "submitted", "rejected"}
	offeringStates = []string{"requested", "accepted", "canceled"}
)

// parent is what further objects are in.
type parent struct {
	id   uuid.UUID
	busy bool // of the organisation of which the statistics are asked: more is in it
}

// each makes objects in parents: busy ones in a busy parent, one in another one.
func (d *writer) each(k kind, parents []parent, busy int, list string, describe func(i int, p parent) row) []parent {
	var made []parent
	for _, p := range parents {
		n := 1
		if p.busy {
			n = busy
		}
		for i := range n {
			object := describe(i, p)
			id := d.next(k)
			object["uuid"] = id
			d.write(list, object)
			made = append(made, parent{id, p.busy})
		}
	}
	return made
}

// calls gives every second organisation a call and what belongs to it, and Organisation more.
func (d *writer) calls() {
	var organisations []parent
	for i := uint64(theOne); i < uint64(d.cfg.Organisations); i += 2 {
		organisations = append(organisations, parent{d.id(organisation, i), i == theOne})
	}
	calls := d.each(call, organisations, 8, "calls", func(i int, p parent) row {
		r := d.random(call, d.last[call])
		return row{
			"call_managing_organisation": p.id, "name": fmt.Sprintf("Call %d", i+1), "slug": fmt.Sprintf("call-%d", i+1),
			"description": pick(r, descriptions), "state": callStates[i%len(callStates)], "created": d.time(r, -50, -40),
		}
	})
	rounds := d.each(round, calls, 3, "rounds", func(i int, p parent) row {
		// Within a week of its end, over, and long to go.
		start := d.time(d.random(round, d.last[round]), -20, -15)
		cutoff := start.AddDate(0, 0, []int{22, 10, 90}[i%3])
		return row{"call": p.id, "name": fmt.Sprintf("Round %d", i+1), "start_time": start, "cutoff_time": cutoff}
	})
	proposals := d.each(proposal, rounds, 7, "proposals", func(i int, p parent) row {
		return row{"round": p.id, "name": fmt.Sprintf("Proposal %d", i+1), "state": proposalStates[i%len(proposalStates)]}
	})
	d.each(review, proposals, 4, "reviews", func(i int, p parent) row {
		return row{"proposal": p.id, "reviewer": d.id(member, uint64(i)), "state": reviewStates[i%len(reviewStates)]}
	})
	d.each(offering, calls, 3, "requested_offerings", func(i int, p parent) row {
		return row{"call": p.id, "offering": fmt.Sprintf("Cluster %d", i+1), "state": offeringStates[i%len(offeringStates)]}
	})
}
