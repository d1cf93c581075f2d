package differential

import (
	"cmp"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.yaml.in/yaml/v3"

	"github.com/opencalls/opencalls/store"
	"github.com/opencalls/opencalls/tests/world"
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

	// What is in the calls never changes: the model has it there.
	Rounds    []round  `json:"rounds,omitempty"`
	Proposals []object `json:"proposals,omitempty"`
	Reviews   []object `json:"reviews,omitempty"`
	Offerings []object `json:"requested_offerings,omitempty"`
}

// row is what every object has.
type row struct {
	UUID  uuid.UUID `json:"uuid"`
	Image string    `json:"image,omitempty"` // of customers, users and organisations
}

// keyed is an object that the model keeps by its id.
type keyed interface{ common() row }

func (r row) common() row { return r }

type customer struct {
	row
	Name         string    `json:"name"`
	Abbreviation string    `json:"abbreviation"`
	NativeName   string    `json:"native_name"`
	Country      string    `json:"country"`
	Blocked      bool      `json:"blocked"`
	Archived     bool      `json:"archived"`
	Created      time.Time `json:"created"`
}

type user struct {
	row
	Username   string    `json:"username"`
	Slug       string    `json:"slug"`
	FirstName  string    `json:"first_name"`
	LastName   string    `json:"last_name"`
	NativeName string    `json:"native_name"`
	Email      string    `json:"email"`
	IsStaff    bool      `json:"is_staff"`
	IsSupport  bool      `json:"is_support"`
	IsActive   bool      `json:"is_active"`
	Created    time.Time `json:"created"`
	Tokens     []token   `json:"tokens"`
}

// fullName is the name as answers show it and lists search and sort it: without blanks around it.
func (u user) fullName() string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }

// slug is the one that was given, or the username.
func (u user) slug() string { return cmp.Or(u.Slug, u.Username) }

// seesAll says whether a user may look at every user and customer.
func (u user) seesAll() bool { return u.IsStaff || u.IsSupport }

type token struct {
	SHA256  string     `json:"sha256"`
	Expires *time.Time `json:"expires"`
}

type role struct {
	row
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Scope       string   `json:"scope"`
	Permissions []string `json:"permissions"`
	IsActive    bool     `json:"is_active"`
}

type organisation struct {
	row
	Customer    uuid.UUID `json:"customer"`
	Description string    `json:"description"`
	Created     time.Time `json:"created"`
}

type grant struct {
	row
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

// object is the id of the object.
func (s scope) object() uuid.UUID { return *cmp.Or(s.Customer, s.Organisation) }

type call struct {
	row
	Organisation uuid.UUID `json:"call_managing_organisation"`
	Name         string    `json:"name"`
	State        string    `json:"state"`
	rounds       []round
	offerings    []string // the states of those that are requested
}

// round has one proposal with one review.
type round struct {
	row
	Call             uuid.UUID `json:"call"`
	StartTime        time.Time `json:"start_time"`
	CutoffTime       time.Time `json:"cutoff_time"`
	proposal, review string    // their states
}

// id numbers the objects of the world; the letter tells their kinds apart.
func id(kind byte, number int) uuid.UUID {
	return uuid.MustParse(fmt.Sprintf("%c0000000-0000-4000-8000-%012d", kind, number))
}

// The scopes of roles, and the permissions that are asked for.
const (
	onCustomer     = "customer"
	onOrganisation = "call_managing_organisation"

	register = "SERVICE_PROVIDER.REGISTER"
	create   = "CALL.CREATE_PERMISSION"
	update   = "CALL.UPDATE_PERMISSION"
	remove   = "CALL.DELETE_PERMISSION"

	createOnCustomer = "CUSTOMER.CREATE_PERMISSION"
	updateOnCustomer = "CUSTOMER.UPDATE_PERMISSION"
	removeOnCustomer = "CUSTOMER.DELETE_PERMISSION"
)

// builtin are the roles that every database has.
var builtin = []role{
	{row{UUID: id('0', 1)}, "CUSTOMER.OWNER", "Organization owner", onCustomer, []string{
		"CALL.APPROVE_AND_REJECT_PROPOSALS", "CALL.CLOSE_ROUNDS", create, remove, update,
		createOnCustomer, removeOnCustomer, updateOnCustomer, "OFFERING.ACCEPT_CALL_REQUEST",
	}, true},
	{row{UUID: id('0', 2)}, "CUSTOMER.MANAGER", "Organization manager", onCustomer, nil, true},
	{row{UUID: id('0', 3)}, "CUSTOMER.SUPPORT", "Organization support", onCustomer, nil, false},
	{row{UUID: id('0', 4)}, "CUSTOMER.CALL_ORGANIZER", "Organization call organizer", onOrganisation, []string{
		"CALL.APPROVE_AND_REJECT_PROPOSALS", "CALL.CLOSE_ROUNDS", "CALL.CREATE", create, remove, "CALL.LIST", update,
		"PROPOSAL.LIST", "PROPOSAL.MANAGE_REVIEW", "ROUND.LIST",
	}, true},
}

var (
	//go:embed world.yaml
	worldText   string
	placeholder = regexp.MustCompile(`\{[\w-]+\}`)
)

// newWorld is the world as it is at a moment, the same in every sequence.
func newWorld(now time.Time) (w entries) {
	text := placeholder.ReplaceAllStringFunc(worldText, func(name string) string {
		name = strings.Trim(name, "{}")
		if after, err := time.ParseDuration(name); err == nil {
			return now.Add(after).Format(time.RFC3339Nano)
		}
		number, err := strconv.Atoi(name[1:])
		switch {
		case err != nil:
			return store.Digest(name)
		case name[0] == 'p':
			return dataURI(picture(number))
		}
		return id(name[0], number).String()
	})
	var tree any
	if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
		panic(err)
	}
	decoder := json.NewDecoder(strings.NewReader(marshal(tree)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&w); err != nil {
		panic(err)
	}
	for i := range w.Customers { // some at the same moment
		w.Customers[i].Created = now.Add(-time.Duration(i*7%9) * time.Hour)
	}
	for i := range w.Users {
		w.Users[i].Created = now.Add(-time.Duration(i) * time.Minute)
	}
	addActivity(&w, now)
	return w
}

// dataURI is an image as the import file has it.
func dataURI(image string) string {
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString([]byte(image))
}

func tokenOf(username string) string { return "token-of-" + username }

// picture returns a PNG of one pixel, each number's another one.
func picture(number int) string { return world.PNG(1, 1, uint8(number)) }

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
			number := len(w.Calls) + 1
			c := call{row{UUID: id('d', number)}, o.UUID, "Call", state, nil, offeringStates[number%4:]}
			for _, state := range c.offerings {
				offering := object{"uuid": id('9', len(w.Offerings)+1), "call": c.UUID, "offering": "Offering", "state": state}
				w.Offerings = append(w.Offerings, offering)
			}
			for i, span := range spans {
				if (number+i)%3 == 0 {
					continue
				}
				n := len(w.Rounds)
				start, cutoff := now.Add(span[0]), now.Add(span[1])
				r := round{row{UUID: id('8', n+1)}, c.UUID, start, cutoff, proposalStates[n%7], reviewStates[n%4]}
				proposal := object{"uuid": id('7', n+1), "round": r.UUID, "name": "Proposal", "state": r.proposal}
				review := object{"uuid": id('6', n+1), "proposal": proposal["uuid"], "reviewer": w.Users[i].UUID, "state": r.review}
				c.rounds = append(c.rounds, r)
				w.Rounds, w.Proposals, w.Reviews = append(w.Rounds, r), append(w.Proposals, proposal), append(w.Reviews, review)
			}
			w.Calls = append(w.Calls, c)
		}
	}
}
