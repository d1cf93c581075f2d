package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Stats is what is going on in the active calls of an organisation.
type Stats struct {
	OpenCalls               int `gorm:"column:open_calls"`
	ActiveRounds            int `gorm:"column:active_rounds"`
	AcceptedProposals       int `gorm:"column:accepted_proposals"`
	PendingProposals        int `gorm:"column:pending_proposals"`
	PendingReview           int `gorm:"column:pending_review"`
	RoundsClosingInOneWeek  int `gorm:"column:rounds_closing_in_one_week"`
	CallsClosingInOneWeek   int `gorm:"column:calls_closing_in_one_week"`
	OfferingRequestsPending int `gorm:"column:offering_requests_pending"`
}

// One statement of scalar subqueries: a statement each would cost a round trip each, and
// SQLite is slow on materialised common tables.
const statsQuery = `SELECT
	(SELECT count(*) FROM calls c WHERE c.organisation_uuid = o.uuid AND c.state = 'active') AS open_calls,
	(SELECT count(*) FROM calls c JOIN rounds r ON r.call_uuid = c.uuid
		WHERE c.organisation_uuid = o.uuid AND c.state = 'active'
			AND r.start_time <= ? AND r.cutoff_time >= ?) AS active_rounds,
	(SELECT count(*) FROM calls c JOIN rounds r ON r.call_uuid = c.uuid JOIN proposals p ON p.round_uuid = r.uuid
		WHERE c.organisation_uuid = o.uuid AND c.state = 'active' AND p.state = 'accepted') AS accepted_proposals,
	(SELECT count(*) FROM calls c JOIN rounds r ON r.call_uuid = c.uuid JOIN proposals p ON p.round_uuid = r.uuid
		WHERE c.organisation_uuid = o.uuid AND c.state = 'active'
			AND p.state IN ('submitted', 'in_review')) AS pending_proposals,
	(SELECT count(*) FROM calls c JOIN rounds r ON r.call_uuid = c.uuid JOIN proposals p ON p.round_uuid = r.uuid
			JOIN reviews v ON v.proposal_uuid = p.uuid
		WHERE c.organisation_uuid = o.uuid AND c.state = 'active'
			AND v.state IN ('created', 'in_review')) AS pending_review,
	(SELECT count(*) FROM calls c JOIN rounds r ON r.call_uuid = c.uuid
		WHERE c.organisation_uuid = o.uuid AND c.state = 'active'
			AND r.cutoff_time >= ? AND r.cutoff_time <= ?) AS rounds_closing_in_one_week,
	(SELECT count(*) FROM calls c
		WHERE c.organisation_uuid = o.uuid AND c.state = 'active' AND EXISTS (SELECT 1 FROM rounds r
			WHERE r.call_uuid = c.uuid AND r.cutoff_time >= ? AND r.cutoff_time <= ?)) AS calls_closing_in_one_week,
	(SELECT count(*) FROM calls c JOIN requested_offerings q ON q.call_uuid = c.uuid
		WHERE c.organisation_uuid = o.uuid AND c.state = 'active'
			AND q.state = 'requested') AS offering_requests_pending
	FROM call_managing_organisations o WHERE o.uuid = ?`

// Stats counts by the store's clock; both ends of a round and of the week count. ErrNotFound
// where there is no such organisation.
func (q queries) Stats(ctx context.Context, organisation uuid.UUID) (Stats, error) {
	now := q.now()
	week := now.Add(7 * 24 * time.Hour)
	return scanOne[Stats](ctx, q, statsQuery, now, now, now, week, now, week, organisation)
}
