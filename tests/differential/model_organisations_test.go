package differential

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/opencalls/opencalls/store"
)

// show is an organisation as answers have it.
func (m *model) show(o *organisation) object {
	c := m.customers[o.Customer]
	return object{
		"url": publicURL + base + o.UUID.String() + "/", "uuid": o.UUID.String(),
		"created": showTime(o.Created), "description": o.Description,
		"customer":      publicURL + "/api/customers/" + c.UUID.String() + "/",
		"customer_name": c.Name, "customer_uuid": c.UUID.String(),
		"customer_image": m.showImage(c.UUID), "customer_abbreviation": c.Abbreviation,
		"customer_native_name": c.NativeName, "customer_country": c.Country, "image": m.showImage(o.UUID),
	}
}

// list is a page of the organisations, by the names of their customers, in any case.
func (m *model) list(r request) want {
	var rows []*organisation
	for _, o := range m.organisations {
		if m.matches(m.customers[o.Customer], r) {
			rows = append(rows, o)
		}
	}
	compare := func(a, b *organisation) int {
		order := strings.Compare(collate(m.customers[a.Customer].Name), collate(m.customers[b.Customer].Name))
		if order == 0 {
			order = strings.Compare(a.UUID.String(), b.UUID.String())
		}
		if names := r.names("o"); len(names) > 0 && names[0] == "-customer_name" {
			return -order // what follows is of no effect: there is one name to order by
		}
		return order
	}
	return page(r, rows, compare, func(o *organisation) any { return m.show(o) })
}

// collate makes of a text one that is compared bytewise.
func collate(text string) string { return string(store.CollationKey(text)) }

func (m *model) matches(c *customer, r request) bool {
	for _, name := range []string{"customer", "customer_uuid"} {
		if r.query.Has(name) && parseID(r.query.Get(name)) != c.UUID {
			return false
		}
	}
	keyword := strings.TrimSpace(r.query.Get("customer_keyword"))
	return contains(c.Name, keyword) || contains(c.Abbreviation, keyword) || contains(c.NativeName, keyword)
}

// contains says whether a text holds another, in any case.
func contains(text, part string) bool {
	return strings.Contains(store.FoldCase(text), store.FoldCase(part))
}

// customer returns the customer that a body names.
func (m *model) customer(r request) *customer {
	link, _ := r.body["customer"].(string)
	return m.customers[parseID(link)]
}

// organisationOf returns the organisation of a customer.
func (m *model) organisationOf(customer uuid.UUID) *organisation {
	for _, o := range m.organisations {
		if o.Customer == customer {
			return o
		}
	}
	return nil
}

// wrongImage says whether a body holds a file that is no good image.
func wrongImage(r request) bool {
	f, isFile := r.body["image"].(file)
	return isFile && !f.fine
}

func (m *model) create(u *user, r request) want {
	c := m.customer(r)
	if c != nil && !m.may(u, register, c.UUID) {
		return refuse(403, forbidden)
	}
	// An unknown customer is found before the permission is missed, and a wrong image after it.
	taken, image := c == nil || m.organisationOf(c.UUID) != nil, (c != nil || u.IsStaff) && wrongImage(r)
	if w, isWrong := wrong(map[string]bool{"customer": taken, "image": image}); isWrong {
		return w
	}
	if c.Blocked || c.Archived {
		return nonField(notAvailable)
	}
	o := &organisation{Customer: c.UUID, Created: m.now()}
	return want{
		status: 201,
		body:   func() any { return m.show(o) },
		change: func(got object) error {
			made, err := m.newID(got["uuid"])
			if err != nil {
				return err
			}
			o.UUID = made
			m.organisations[made] = o
			m.events["call_managing_organisation.create"]++
			takeText(r, "description", &o.Description)
			return m.setImage(&o.row, r, got)
		},
	}
}

// setImage changes the image of an object to what a body says.
func (m *model) setImage(owner *row, r request, got object) error {
	value, sent := r.body["image"]
	if !sent {
		return nil
	}
	m.forgetImage(owner.UUID)
	owner.Image = ""
	f, isFile := value.(file)
	if !isFile {
		return nil
	}
	// A new image has a new id, so that what is at a URL never changes.
	image, err := m.newID(got["image"])
	if err != nil {
		return err
	}
	m.imageOf[owner.UUID], m.pictures[image] = image, f.content
	owner.Image = dataURI(f.content)
	return nil
}

// newID reads a new id of an organisation, a customer or an image.
func (m *model) newID(value any) (uuid.UUID, error) {
	text, _ := value.(string)
	id := parseID(text)
	known := m.organisations[id] != nil || m.customers[id] != nil || m.pictures[id] != ""
	if id == uuid.Nil || known || slices.Contains(m.gone, id) {
		return id, fmt.Errorf("%q is no new id", text)
	}
	return id, nil
}

func (m *model) forgetImage(owner uuid.UUID) {
	image, has := m.imageOf[owner]
	if !has {
		return
	}
	delete(m.imageOf, owner)
	delete(m.pictures, image)
	m.gone = append(m.gone, image)
}

// mayChange says whether a user may change a customer, and change or delete its organisation: by the role's name.
func (m *model) mayChange(u *user, customer uuid.UUID) bool {
	return u.IsStaff || m.holds(u, customer, func(r *role) bool { return r.Name == "CUSTOMER.OWNER" })
}

func (m *model) update(u *user, o *organisation, r request) want {
	if !m.mayChange(u, o.Customer) {
		return refuse(403, forbidden)
	}
	c := m.customer(r)
	other := r.op == "update" && (c == nil || c.UUID != o.Customer)
	if w, isWrong := wrong(map[string]bool{"customer": other, "image": wrongImage(r)}); isWrong {
		return w
	}
	return want{
		status: 200,
		body:   func() any { return m.show(o) },
		change: func(got object) error {
			if sendsAny(r, "description", "image") {
				m.events["call_managing_organisation.update"]++
			}
			takeText(r, "description", &o.Description)
			return m.setImage(&o.row, r, got)
		},
	}
}

func (m *model) destroy(u *user, o *organisation) want {
	if !m.mayChange(u, o.Customer) {
		return refuse(403, forbidden)
	}
	if slices.ContainsFunc(slices.Collect(maps.Values(m.calls)), func(c *call) bool { return c.Organisation == o.UUID }) {
		return refuse(400, "Cannot delete this call manager as there are existing connected calls or user permissions.")
	}
	return want{status: 204, change: func(object) error {
		m.forgetImage(o.UUID)
		m.grants = slices.DeleteFunc(m.grants, func(g *grant) bool { return g.on(o.UUID) })
		delete(m.organisations, o.UUID)
		m.gone = append(m.gone, o.UUID)
		m.events["call_managing_organisation.delete"]++
		return nil
	}}
}
