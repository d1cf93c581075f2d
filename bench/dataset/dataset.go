// Package dataset makes the data that is measured: organisations, users, grants and calls in any
// number, with names of several languages and scripts, as an import file.
package dataset

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// Config says how much data there is. The same Config makes the same data.
type Config struct {
	Organisations int // at least 10; each has a customer and a user of its own
	Seed          uint64
	Now           time.Time // what the times of calls, rounds and grants lie around
}

// Known names what requests to the data are about.
type Known struct {
	StaffToken string
	OwnerToken string // of the owner of the customers of Organisation and of Crowded

	Organisation uuid.UUID // has 5 members, and calls, rounds, proposals, reviews and offerings in all states
	Crowded      uuid.UUID // has 5,000 members
	// Texts in the names of some customers: 10 of any number, and each twentieth.
	Keyword   struct{ Rare, Common string }
	Newcomers []uuid.UUID // 64 users who hold no role
}

// Organisation is the id of the nth organisation, from 0, of the data with a seed. Known names not all
// of them: 100,000 are megabytes to be told to another process.
func Organisation(seed uint64, n int) uuid.UUID {
	d := writer{cfg: Config{Seed: seed}}
	return d.id(organisation, uint64(n))
}

// Members of Crowded and of Organisation, and users without a role.
const (
	crowd     = 5000
	few       = 5
	newcomers = 64
)

// The built-in roles that are granted.
const (
	customerOwner = "CUSTOMER.OWNER"
	callOrganizer = "CUSTOMER.CALL_ORGANIZER"
)

// kind keeps the ids of different objects apart.
type kind uint64

const (
	customer kind = iota
	contact       // the user who belongs to an organisation
	member        // of Organisation and of Crowded
	newcomer
	signedIn // whom the tokens belong to: staff, then the owner
	organisation
	grant
	call
	round
	proposal
	review
	offering
)

// The organisations that Known names, by their number.
const (
	theOne = iota
	theCrowded
)

type row map[string]any

type writer struct {
	cfg     Config
	out     *bufio.Writer
	encoder *json.Encoder
	err     error           // the first one
	last    map[kind]uint64 // of objects that are numbered as they come
}

// Write writes an import file (JSON Lines) and returns what requests may name.
func Write(w io.Writer, cfg Config) (Known, error) {
	if cfg.Organisations < 10 {
		return Known{}, fmt.Errorf("%d organisations are too few: at least 10", cfg.Organisations)
	}
	out := bufio.NewWriterSize(w, 1<<16)
	d := &writer{cfg: cfg, out: out, encoder: json.NewEncoder(out), last: map[kind]uint64{}}
	d.encoder.SetEscapeHTML(false)
	known := d.known()
	d.customers(known)
	d.users(known)
	d.organisations()
	d.grants()
	d.calls()
	if d.err != nil {
		return Known{}, d.err
	}
	return known, out.Flush()
}

func (d *writer) known() Known {
	known := Known{
		StaffToken: "staff-token-of-the-measured-data", OwnerToken: "owner-token-of-the-measured-data",
		Organisation: d.id(organisation, theOne), Crowded: d.id(organisation, theCrowded),
	}
	known.Keyword.Rare, known.Keyword.Common = "Zymurgy", "Polytechnic"
	for i := range uint64(newcomers) {
		known.Newcomers = append(known.Newcomers, d.id(newcomer, i))
	}
	return known
}

// random is the source of what one object looks like, whatever other objects there are.
func (d *writer) random(k kind, i uint64) *rand.Rand {
	return rand.New(rand.NewPCG(d.cfg.Seed, uint64(k)<<56|i))
}

// id is the UUID of an object: version 4, since imported data has others than the store makes.
func (d *writer) id(k kind, i uint64) uuid.UUID {
	source := rand.NewPCG(^d.cfg.Seed, uint64(k)<<56|i)
	var id uuid.UUID
	binary.LittleEndian.PutUint64(id[:8], source.Uint64())
	binary.LittleEndian.PutUint64(id[8:], source.Uint64())
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

// next is the UUID of one more object of a kind.
func (d *writer) next(k kind) uuid.UUID {
	d.last[k]++
	return d.id(k, d.last[k])
}

// time is between two numbers of days from now.
func (d *writer) time(r *rand.Rand, from, to int) time.Time {
	seconds := from*86400 + r.IntN((to-from)*86400)
	return d.cfg.Now.UTC().Truncate(time.Microsecond).Add(time.Duration(seconds) * time.Second)
}

func (d *writer) write(list string, r row) {
	if d.err == nil {
		d.err = d.encoder.Encode(map[string]row{list: r})
	}
}

func (d *writer) customers(known Known) {
	tenth := d.cfg.Organisations / 10
	for i := range d.cfg.Organisations {
		r := d.random(customer, uint64(i))
		word := ""
		if i%tenth == tenth-1 && i/tenth < 10 {
			word += ", " + known.Keyword.Rare
		}
		if i%20 == 7 {
			word += ", " + known.Keyword.Common
		}
		name, native, abbreviation, country := institution(r, word)
		d.write("customers", row{"uuid": d.id(customer, uint64(i)), "name": name, "native_name": native,
			"abbreviation": abbreviation, "country": country, "created": d.time(r, -2000, -100)})
	}
}

func (d *writer) users(known Known) {
	for i, token := range []string{known.StaffToken, known.OwnerToken} {
		d.user(signedIn, i, row{"token": token, "is_staff": i == 0})
	}
	for i := range d.cfg.Organisations {
		d.user(contact, i, row{})
	}
	for i := range crowd {
		d.user(member, i, row{})
	}
	for i := range newcomers {
		d.user(newcomer, i, row{})
	}
}

func (d *writer) user(k kind, i int, u row) {
	r := d.random(k, uint64(i))
	full, native, login := person(r)
	username := fmt.Sprintf("%s.%d.%d", login, k, i)
	u["uuid"], u["username"], u["full_name"], u["native_name"] = d.id(k, uint64(i)), username, full, native
	u["email"], u["created"] = username+"@example.org", d.time(r, -2000, -100)
	d.write("users", u)
}

func (d *writer) organisations() {
	for i := range d.cfg.Organisations {
		r := d.random(organisation, uint64(i))
		d.write("call_managing_organisations", row{
			"uuid": d.id(organisation, uint64(i)), "customer": d.id(customer, uint64(i)),
			"description": pick(r, descriptions), "created": d.time(r, -100, -50),
		})
	}
}

// grants makes each organisation's contact the owner of its customer, and one in two its
// organiser too; the owner whom Known names owns the two customers that it speaks of.
func (d *writer) grants() {
	owner := d.id(signedIn, 1)
	for i := range uint64(d.cfg.Organisations) {
		user := d.id(contact, i)
		if i == theOne || i == theCrowded {
			d.grant(owner, customerOwner, row{"customer": d.id(customer, i)})
			continue
		}
		d.grant(user, customerOwner, row{"customer": d.id(customer, i)})
		if i%2 == 0 {
			d.grant(user, callOrganizer, row{"call_managing_organisation": d.id(organisation, i)})
		}
	}
	for i := range uint64(crowd) {
		user := d.id(member, i)
		if i < few {
			d.grant(user, callOrganizer, row{"call_managing_organisation": d.id(organisation, theOne)})
		}
		d.grant(user, callOrganizer, row{"call_managing_organisation": d.id(organisation, theCrowded)})
	}
}

// grant leaves out every second uuid: an import then has to find out which grant is meant.
func (d *writer) grant(user uuid.UUID, role string, scope row) {
	id := d.next(grant)
	r := d.random(grant, d.last[grant])
	g := row{"user": user, "role": role, "scope": scope, "created_by": d.id(signedIn, 1), "created": d.time(r, -50, -1)}
	if d.last[grant]%2 == 0 {
		g["uuid"] = id
	}
	if r.IntN(3) == 0 {
		g["expiration_time"] = d.time(r, 100, 1000)
	}
	d.write("user_roles", g)
}
