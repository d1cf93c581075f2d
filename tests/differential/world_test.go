package differential

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/opencalls/opencalls/tests/world"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

// entries are what every sequence begins with, as the import file has it: the engines import it,
// and the model takes it as it is.
type entries struct {
	Customers     []customer     `json:"customers,omitempty"`
	Users         []user         `json:"users,omitempty"`
	Roles         []role         `json:"roles,omitempty"`
	Organisations []organisation `json:"call_managing_organisations,omitempty"`
	Grants        []grant        `json:"user_roles,omitempty"`
	Calls         []call         `json:"calls,omitempty"`
	Rounds        []round        `json:"rounds,omitempty"`
	Proposals     []proposal     `json:"proposals,omitempty"`
	Reviews       []review       `json:"reviews,omitempty"`
	Offerings     []offering     `json:"requested_offerings,omitempty"`
}

type customer struct {
	UUID         uuid.UUID `json:"uuid"`
	Name         string    `json:"name"`
	Abbreviation string    `json:"abbreviation"`
	NativeName   string    `json:"native_name"`
	Country      string    `json:"country"`
	Image        string    `json:"image"`
	Blocked      bool      `json:"blocked"`
	Archived     bool      `json:"archived"`
}

type user struct {
	UUID       uuid.UUID `json:"uuid"`
	Username   string    `json:"username"`
	Slug       string    `json:"slug"`
	FullName   string    `json:"full_name"`
	NativeName string    `json:"native_name"`
	Email      string    `json:"email"`
	Image      string    `json:"image"`
	IsStaff    bool      `json:"is_staff"`
	IsSupport  bool      `json:"is_support"`
	IsActive   bool      `json:"is_active"`
	Tokens     []token   `json:"tokens"`
}

type token struct {
	SHA256  string     `json:"sha256"`
	Expires *time.Time `json:"expires"`
}

type role struct {
	UUID        uuid.UUID `json:"uuid"`
	Name        string    `json:"name"`
	Scope       string    `json:"scope"`
	Permissions []string  `json:"permissions"`
	IsActive    bool      `json:"is_active"`
}

type organisation struct {
	UUID        uuid.UUID `json:"uuid"`
	Customer    uuid.UUID `json:"customer"`
	Description string    `json:"description"`
	Image       string    `json:"image"`
	Created     time.Time `json:"created"`
}

type grant struct {
	UUID           uuid.UUID  `json:"uuid"`
	User           uuid.UUID  `json:"user"`
	Role           string     `json:"role"` // its name
	Scope          scope      `json:"scope"`
	ExpirationTime *time.Time `json:"expiration_time"`
	CreatedBy      *uuid.UUID `json:"created_by"`
	Created        time.Time  `json:"created"`
	Revoked        *time.Time `json:"revoked"`
}

// scope is the one object of the two that a role is granted on.
type scope struct {
	Customer     *uuid.UUID `json:"customer,omitempty"`
	Organisation *uuid.UUID `json:"call_managing_organisation,omitempty"`
}

type call struct {
	UUID         uuid.UUID `json:"uuid"`
	Organisation uuid.UUID `json:"call_managing_organisation"`
	Name         string    `json:"name"`
	State        string    `json:"state"`
}

type round struct {
	UUID       uuid.UUID `json:"uuid"`
	Call       uuid.UUID `json:"call"`
	StartTime  time.Time `json:"start_time"`
	CutoffTime time.Time `json:"cutoff_time"`
}

type proposal struct {
	UUID  uuid.UUID `json:"uuid"`
	Round uuid.UUID `json:"round"`
	Name  string    `json:"name"`
	State string    `json:"state"`
}

type review struct {
	UUID     uuid.UUID `json:"uuid"`
	Proposal uuid.UUID `json:"proposal"`
	Reviewer uuid.UUID `json:"reviewer"`
	State    string    `json:"state"`
}

type offering struct {
	UUID     uuid.UUID `json:"uuid"`
	Call     uuid.UUID `json:"call"`
	Offering string    `json:"offering"`
	State    string    `json:"state"`
}

// keyed is an object that the model keeps by its id.
type keyed interface{ key() uuid.UUID }

func (c customer) key() uuid.UUID     { return c.UUID }
func (u user) key() uuid.UUID         { return u.UUID }
func (r role) key() uuid.UUID         { return r.UUID }
func (o organisation) key() uuid.UUID { return o.UUID }
func (c call) key() uuid.UUID         { return c.UUID }

// id numbers the objects of the world; the letter tells their kinds apart.
func id(kind byte, number int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("%c0000000-0000-4000-8000-%012d", kind, number))
}

// The names are in the order of the ids, which is neither that of their bytes nor that of
// their letters. Some are equal, some only when case is folded, some only without accents.
var customers = []customer{
	{Name: "Zeta", Abbreviation: "ζ", NativeName: "Ζήτα", Country: "GR"},
	{Name: "alpha", Abbreviation: "Al"},
	{Name: "Alpha", NativeName: "ALPHA beta", Image: dataURI(picture(1))},
	{Name: "Älpha", Country: "DE"},
	{Name: "A\u0308lpha", NativeName: "the same name, decomposed"},
	{Name: "100% sure", Abbreviation: "100%"},
	{Name: "100_sure", Abbreviation: `\%_`},
	{Name: `back\slash`, NativeName: `a\b`},
	{Name: "Straße", Abbreviation: "STR"},
	{Name: "STRASSE", Abbreviation: "ẞ"},
	{Name: "Эстония", NativeName: "Eesti", Country: "EE"},
	{Name: "ЭСТОНИЯ", NativeName: "EESTI", Image: dataURI(picture(2))},
	{Name: "İstanbul", NativeName: "ıstanbul", Country: "TR"},
	{Name: "istanbul"},
	{Name: "ﬁne arts", Abbreviation: "FA"},
	{Name: "Fine Arts", Abbreviation: "fa", Blocked: true},
	{Name: "Twin", Country: "SE"},
	{Name: "Twin", Archived: true},
	{Name: "TWIN"},
	{Name: "ΣΊΣΥΦΟΣ", NativeName: "Σίσυφος"},
	{Name: "zeta two"},
	{Name: "_private"},
	{Name: "a\u00a0b c"},
	{Name: "😀 emoji"},
	{Name: "日本語大学", NativeName: "にほん"},
	{Name: "Ōsaka \"quoted\" 'single'", Blocked: true},
	{Name: "K\u212aelvin"},
	{Name: "free one"},
	{Name: "Free Two", Abbreviation: "F2"},
	{Name: "free three", Blocked: true},
	{Name: "free four", Archived: true},
	{Name: "FREE five", NativeName: "Vrij"},
}

// withoutOrganisation is how many of the customers, the last ones, have none at first.
const withoutOrganisation = 5

var users = []user{
	{Username: "sam", FullName: "Sam Staff", Email: "sam@example.com", IsStaff: true, IsActive: true},
	{Username: "olev", FullName: "Olev Öwner", NativeName: "Олев", IsActive: true, Image: dataURI(picture(3))},
	{Username: "carl", FullName: "Carl Clerk", Slug: "THE-clerk", Email: "Carl@Example.com", IsActive: true},
	{Username: "mira", FullName: "Mira Müller", NativeName: "Мира", Email: "mira@example.com", IsActive: true},
	{Username: "cora", FullName: "cora 50%_\\", Email: "not an address", IsActive: true},
	{Username: "uma", FullName: "Uma", IsActive: true},
	{Username: "rex", FullName: "Rex Álvarez", IsActive: true},
	{Username: "reg", FullName: "Reg Registrar", NativeName: "Straße", IsActive: true},
	{Username: "sue", FullName: "Sue Support", IsSupport: true, IsActive: true},
	{Username: "mari", FullName: "mira muller", NativeName: "мира", IsActive: true},
	{Username: "bob", IsActive: true},
	{Username: "ines", FullName: "Ines Inactive"},
	{Username: "ivan", FullName: "Иван", IsStaff: true},
	{Username: "tina", FullName: "TINA", Email: "carl@example.com", IsActive: true},
	{Username: "tom", FullName: "Tom Temporary", IsStaff: true, IsActive: true},
	{Username: "z_z", FullName: "ΣΊΣΥΦΟΣ", NativeName: "σίσυφος", IsActive: true},
}

// tokensLast is how long tokens last that don't last for ever.
var tokensLast = map[string]time.Duration{"z_z": 0, "tom": 24 * time.Hour, "mari": time.Hour}

// roles are those that are not built in.
var roles = []role{
	{Name: "GRANTER", Scope: onOrganisation, Permissions: []string{create, register}, IsActive: true},
	{Name: "UPDATER", Scope: onOrganisation, Permissions: []string{update}, IsActive: true},
	{Name: "revoker", Scope: onOrganisation, Permissions: []string{remove}, IsActive: true},
	{Name: "HELPER", Scope: onOrganisation, Permissions: []string{}, IsActive: true},
	{Name: "RETIRED", Scope: onOrganisation, Permissions: []string{create, update, remove}},
	{Name: "CLERK", Scope: onCustomer, Permissions: []string{create, update, remove}, IsActive: true},
	{Name: "REGISTRAR", Scope: onCustomer, Permissions: []string{register}, IsActive: true},
}

// The scopes of roles, and the permissions that are asked for.
const (
	onCustomer     = "customer"
	onOrganisation = "call_managing_organisation"

	register = "SERVICE_PROVIDER.REGISTER"
	create   = "CALL.CREATE_PERMISSION"
	update   = "CALL.UPDATE_PERMISSION"
	remove   = "CALL.DELETE_PERMISSION"
)

// builtin are the roles that every database has.
var builtin = []role{
	{UUID: id('0', 1), Name: "CUSTOMER.OWNER", Scope: onCustomer, Permissions: []string{create, update, remove}, IsActive: true},
	{UUID: id('0', 2), Name: "CUSTOMER.MANAGER", Scope: onCustomer, IsActive: true},
	{UUID: id('0', 3), Name: "CUSTOMER.SUPPORT", Scope: onCustomer},
	{UUID: id('0', 4), Name: "CUSTOMER.CALL_ORGANIZER", Scope: onOrganisation, Permissions: []string{create, update, remove}, IsActive: true},
}

// newWorld is the world as it is at a moment, the same in every sequence.
func newWorld(now time.Time) entries {
	w := entries{}
	for i, c := range customers {
		c.UUID = id('c', i+1)
		w.Customers = append(w.Customers, c)
		if i < len(customers)-withoutOrganisation {
			// Against the order of the customers, so that equal names show what breaks the tie.
			o := organisation{UUID: id('0', 100-i), Customer: c.UUID, Description: "Calls of " + c.Name, Created: now.Add(-time.Duration(i) * time.Second)}
			if i%2 == 0 {
				o.Image = dataURI(picture(i))
			}
			w.Organisations = append(w.Organisations, o)
		}
	}
	for i, u := range users {
		u.UUID = id('e', i+1)
		u.Tokens = []token{{SHA256: store.Digest(tokenOf(u.Username))}}
		if lasts, ends := tokensLast[u.Username]; ends {
			expires := now.Add(lasts)
			u.Tokens[0].Expires = &expires
		}
		w.Users = append(w.Users, u)
	}
	for i, r := range roles {
		r.UUID = id('b', i+1)
		w.Roles = append(w.Roles, r)
	}
	w.Grants = newGrants(w, now)
	addActivity(&w, now)
	return w
}

func tokenOf(username string) string { return "token-of-" + username }

func dataURI(image string) string {
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte(image))
}

// picture returns a PNG of one pixel, each number's another one.
func picture(number int) string { return world.PNG(1, 1, uint8(number)) }

// newGrants gives out roles: "user role scope+…" where a scope is a letter for its kind and
// the number of its customer, and "@48h" says when the grant ends.
func newGrants(w entries, now time.Time) []grant {
	var grants []grant
	for i, line := range []string{
		"olev CUSTOMER.OWNER c1+c2+c3+c4+c5+c6+c16+c18+c28+c30",
		"tina CUSTOMER.OWNER c1+c2+c7 @25h",
		"mari CUSTOMER.MANAGER c1+c2+c3+c26",
		"cora CLERK c1+c2+c3+c16+c17+c18",
		"reg REGISTRAR c1+c28+c29+c30+c31",
		"tina REGISTRAR c28+c29+c32 @25h",
		"carl CUSTOMER.CALL_ORGANIZER o1+o2+o3+o4+o16+o17",
		"tina CUSTOMER.CALL_ORGANIZER o1+o2+o3 @25h",
		"ines CUSTOMER.CALL_ORGANIZER o1+o2",
		"z_z CUSTOMER.CALL_ORGANIZER o1 @0s",
		"mira GRANTER o1+o2+o3+o18",
		"uma UPDATER o1+o2+o3",
		"rex revoker o1+o2+o3",
		"reg GRANTER o1+o5 @100h",
		"tom RETIRED o1+o2",
		"rex RETIRED o2+o3 @200h",
		"mira HELPER o1+o4",
		"mari HELPER o1 @48h",
		"bob HELPER o1 @-1us",
		"uma HELPER o1+o2 @-1h",
		"z_z HELPER o1+o2 @1us",
		"sue HELPER o1",
		"carl HELPER o1 @49h",
	} {
		fields := strings.Fields(line + " @")
		for _, on := range strings.Split(fields[2], "+") {
			var number int
			if _, err := fmt.Sscanf(on[1:], "%d", &number); err != nil {
				panic(err)
			}
			g := grant{UUID: id('f', 1000-len(grants)), Role: fields[1], Created: now.Add(-time.Duration(i/2) * time.Hour)}
			for _, u := range w.Users {
				if u.Username == fields[0] {
					g.User = u.UUID
				}
			}
			if on[0] == 'c' {
				g.Scope.Customer = &w.Customers[number-1].UUID
			} else {
				g.Scope.Organisation = &w.Organisations[number-1].UUID
			}
			if i%3 == 0 {
				g.CreatedBy = &w.Users[i%len(w.Users)].UUID
			}
			if ends, err := time.ParseDuration(fields[3][1:]); err == nil {
				end := now.Add(ends)
				g.ExpirationTime = &end
			}
			grants = append(grants, g)
		}
	}
	// One that was revoked earlier, beside which the same role is granted again.
	old := grants[0]
	old.UUID, old.Revoked = id('f', 1), &now
	return append(grants, old)
}

// addActivity adds calls of every state to the first two organisations and to one whose
// customer is archived, with rounds around now, and all that can be in them.
func addActivity(w *entries, now time.Time) {
	const hour, week = time.Hour, 7 * 24 * time.Hour
	spans := [][2]time.Duration{
		{-hour, -time.Microsecond}, {-hour, 0}, {0, week + time.Microsecond}, {hour, week},
		{30 * hour, week + 30*hour}, {-500 * hour, 24 * hour},
	}
	proposalStates := []string{"draft", "team_verification", "submitted", "in_review", "accepted", "rejected", "canceled"}
	reviewStates := []string{"created", "in_review", "submitted", "rejected"}
	offeringStates := []string{"requested", "accepted", "canceled", "requested"}
	for _, o := range []organisation{w.Organisations[0], w.Organisations[1], w.Organisations[17]} {
		for _, state := range []string{"active", "draft", "active", "archived"} {
			c := call{UUID: id('d', len(w.Calls)+1), Organisation: o.UUID, Name: "Call", State: state}
			w.Calls = append(w.Calls, c)
			for _, state := range offeringStates[len(w.Calls)%4:] {
				w.Offerings = append(w.Offerings, offering{UUID: id('9', len(w.Offerings)+1), Call: c.UUID, Offering: "Offering", State: state})
			}
			for i, span := range spans {
				if (len(w.Calls)+i)%3 == 0 {
					continue
				}
				r := round{UUID: id('8', len(w.Rounds)+1), Call: c.UUID, StartTime: now.Add(span[0]), CutoffTime: now.Add(span[1])}
				w.Rounds = append(w.Rounds, r)
				p := proposal{UUID: id('7', len(w.Proposals)+1), Round: r.UUID, Name: "Proposal", State: proposalStates[len(w.Proposals)%7]}
				w.Proposals = append(w.Proposals, p)
				w.Reviews = append(w.Reviews, review{UUID: id('6', len(w.Reviews)+1), Proposal: p.UUID, Reviewer: w.Users[i].UUID, State: reviewStates[len(w.Reviews)%4]})
			}
		}
	}
}
