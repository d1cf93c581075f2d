package baseline

import (
	"strconv"
	"strings"
)

// query names a statement.
type query int

const (
	selectIdentity query = iota
	countAll
	firstForwards
	firstBackwards
	pageForwards
	pageBackwards
	keywordPage
	countKeywordAfter
	selectOrganisation
	selectStats
	selectOrganisationFor
	countMembers
	firstMembers
	pageOfMembers
	lockOrganisation
	selectHeldRoles
	selectRole
	selectUser
	selectGrant
	updateOrganisation
	insertGrant
	revokeGrant
	insertAudit
	queries
)

const (
	organisationColumns = `o.uuid, o.created, o.description, o.image_uuid, o.customer_uuid,
		o.customer_name, o.customer_abbreviation, o.customer_native_name, o.customer_country, o.customer_image_uuid,
		o.customer_blocked, o.customer_archived`
	fromOrganisations = `FROM call_managing_organisations AS o `
	forwards          = `ORDER BY o.customer_key, o.uuid`
	backwards         = `ORDER BY o.customer_key DESC, o.uuid DESC`

	first = `SELECT ` + organisationColumns + ` ` + fromOrganisations
	page  = first + `WHERE o.uuid IN (SELECT o.uuid ` + fromOrganisations
	slice = ` LIMIT ? OFFSET ?`

	heldColumns = `g.uuid, r.name, p.permission,
		CASE WHEN g.organisation_uuid IS NULL THEN 'customer' ELSE 'call_managing_organisation' END`
	active     = `g.revoked IS NULL AND (g.expiration_time IS NULL OR g.expiration_time >= ?)`
	roleTables = ` JOIN roles AS r ON r.uuid = g.role_uuid LEFT JOIN role_permissions AS p ON p.role_uuid = r.uuid `
	held       = `SELECT ` + heldColumns + ` FROM user_roles AS g` + roleTables + `WHERE g.user_uuid = ? AND ` + active
	heldWith   = `SELECT ` + organisationColumns + `, ` + heldColumns + ` ` + fromOrganisations +
		`LEFT JOIN user_roles AS g ON g.user_uuid = ? AND ` + active

	memberTables = `user_roles AS g JOIN users AS u ON u.uuid = g.user_uuid JOIN roles AS r ON r.uuid = g.role_uuid`
	members      = `SELECT g.uuid, g.created, g.expiration_time, r.name, r.uuid, u.email, u.full_name, u.username, u.uuid,
		u.image_uuid, b.full_name, g.created_by_uuid
		FROM ` + memberTables + ` LEFT JOIN users AS b ON b.uuid = g.created_by_uuid
		WHERE g.organisation_uuid = ? AND u.is_active AND ` + active + ` ORDER BY g.created, g.uuid`
)

// texts are the statements in SQLite's spelling; spell makes Postgres' of them. They are those
// of package store, one for one, which a test holds them to.
var texts = [queries]string{
	selectIdentity: `SELECT t.expires, u.uuid, u.is_staff, u.is_support, u.is_active
		FROM tokens AS t JOIN users AS u ON u.uuid = t.user_uuid WHERE t.digest = ?`,

	countAll:       `SELECT value FROM counters WHERE name = 'call_managing_organisations'`,
	firstForwards:  first + forwards + ` LIMIT `, // and how many
	firstBackwards: first + backwards + ` LIMIT `,
	pageForwards:   page + forwards + slice + `) ` + forwards,
	pageBackwards:  page + backwards + slice + `) ` + backwards,
	keywordPage:    `{first}WHERE {contains o.customer_search} ` + forwards + slice + `{/first}`,
	countKeywordAfter: `SELECT count(*) ` + fromOrganisations + `WHERE {contains o.customer_search}
		AND (o.customer_key, o.uuid) > (SELECT l.customer_key, l.uuid FROM call_managing_organisations AS l WHERE l.uuid = ?)`,
	selectOrganisation: first + `WHERE o.uuid = ?`,

	selectStats: `SELECT
		(SELECT count(*) FROM calls c WHERE c.organisation_uuid = o.uuid AND c.state = 'active') AS open_calls,
		(SELECT count(*) FROM calls c JOIN rounds r ON r.call_uuid = c.uuid
			WHERE c.organisation_uuid = o.uuid AND c.state = 'active' AND r.start_time <= ? AND r.cutoff_time >= ?) AS active_rounds,
		(SELECT count(*) FROM calls c JOIN rounds r ON r.call_uuid = c.uuid JOIN proposals p ON p.round_uuid = r.uuid
			WHERE c.organisation_uuid = o.uuid AND c.state = 'active' AND p.state = 'accepted') AS accepted_proposals,
		(SELECT count(*) FROM calls c JOIN rounds r ON r.call_uuid = c.uuid JOIN proposals p ON p.round_uuid = r.uuid
			WHERE c.organisation_uuid = o.uuid AND c.state = 'active' AND p.state IN ('submitted', 'in_review')) AS pending_proposals,
		(SELECT count(*) FROM calls c JOIN rounds r ON r.call_uuid = c.uuid JOIN proposals p ON p.round_uuid = r.uuid JOIN reviews v ON v.proposal_uuid = p.uuid
			WHERE c.organisation_uuid = o.uuid AND c.state = 'active' AND v.state IN ('created', 'in_review')) AS pending_review,
		(SELECT count(*) FROM calls c JOIN rounds r ON r.call_uuid = c.uuid
			WHERE c.organisation_uuid = o.uuid AND c.state = 'active' AND r.cutoff_time >= ? AND r.cutoff_time <= ?) AS rounds_closing_in_one_week,
		(SELECT count(*) FROM calls c
			WHERE c.organisation_uuid = o.uuid AND c.state = 'active'
				AND EXISTS (SELECT 1 FROM rounds r WHERE r.call_uuid = c.uuid AND r.cutoff_time >= ? AND r.cutoff_time <= ?)) AS calls_closing_in_one_week,
		(SELECT count(*) FROM calls c JOIN requested_offerings q ON q.call_uuid = c.uuid
			WHERE c.organisation_uuid = o.uuid AND c.state = 'active' AND q.state = 'requested') AS offering_requests_pending
		FROM call_managing_organisations o WHERE o.uuid = ?`,

	selectOrganisationFor: heldWith + ` AND g.customer_uuid = o.customer_uuid LEFT` + roleTables + `WHERE o.uuid = ? UNION ALL ` +
		heldWith + ` AND g.organisation_uuid = o.uuid LEFT` + roleTables + `WHERE o.uuid = ?`,
	countMembers: `SELECT count(*) FROM user_roles AS g WHERE g.organisation_uuid = ? AND ` + active +
		` AND NOT EXISTS (SELECT 1 FROM users AS u{inactive} WHERE u.uuid = g.user_uuid AND NOT u.is_active)`,
	firstMembers:  members + ` LIMIT ?`,
	pageOfMembers: members + slice,

	lockOrganisation: first + `{locked}`,
	selectHeldRoles:  held + ` AND g.customer_uuid = ? UNION ALL ` + held + ` AND g.organisation_uuid = ?`,
	selectRole:       `SELECT uuid, name, scope, description, is_active FROM roles WHERE name = ?`,
	selectUser: `SELECT uuid, username, slug, full_name, native_name, email, image_uuid, is_staff, is_support, is_active, created,
		full_name_key, native_name_key, email_key, slug_key, full_name_search FROM users WHERE uuid = ?`,
	selectGrant: `SELECT uuid, expiration_time FROM user_roles
		WHERE user_uuid = ? AND role_uuid = ? AND organisation_uuid = ? AND revoked IS NULL`,
	updateOrganisation: `UPDATE call_managing_organisations SET description = ?, image_uuid = ? WHERE uuid = ?`,
	insertGrant: `INSERT INTO user_roles (uuid, user_uuid, role_uuid, organisation_uuid, created, created_by_uuid, expiration_time)
		VALUES (?, ?, ?, ?, ?, ?, ?)`,
	revokeGrant: `UPDATE user_roles SET revoked = ? WHERE uuid = ?`,
	insertAudit: `INSERT INTO audit_events (uuid, created, actor_uuid, request_id, action, object_type, object_uuid, details)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
}

var (
	sqliteSpelling = strings.NewReplacer(
		"{contains o.customer_search}", "instr(o.customer_search, ?) > 0",
		"{first}", page,
		"{/first}", ") "+forwards,
		"{inactive}", " INDEXED BY users_inactive_uuid_idx",
		"{locked}", "WHERE o.uuid = ?")
	postgresSpelling = strings.NewReplacer(
		"{contains o.customer_search}", `o.customer_search LIKE ? ESCAPE '\'`,
		"{first}", first,
		"{/first}", "",
		"{inactive}", "",
		"{locked}", "JOIN customers AS c ON c.uuid = o.customer_uuid WHERE o.uuid = ? FOR UPDATE OF o FOR KEY SHARE OF c")
)

// spell returns the statement as an engine takes it.
func (q query) spell(postgres bool) string {
	if !postgres { // a + hides a parameter from the planner, which would plan anew each time for its value
		return strings.ReplaceAll(sqliteSpelling.Replace(texts[q]), "?", "+?")
	}
	parts := strings.Split(postgresSpelling.Replace(texts[q]), "?")
	var b strings.Builder
	for i, part := range parts {
		if i > 0 {
			b.WriteString("$" + strconv.Itoa(i))
		}
		b.WriteString(part)
	}
	return b.String()
}
