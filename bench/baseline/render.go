package baseline

import (
	"database/sql"
	"net/http"
	"time"
)

// organisation is what an answer shows of one.
type organisation struct {
	URL                  string    `json:"url"`
	UUID                 string    `json:"uuid"`
	Created              time.Time `json:"created"`
	Description          string    `json:"description"`
	Customer             string    `json:"customer"`
	CustomerName         string    `json:"customer_name"`
	CustomerUUID         string    `json:"customer_uuid"`
	CustomerImage        *string   `json:"customer_image"`
	CustomerAbbreviation string    `json:"customer_abbreviation"`
	CustomerNativeName   string    `json:"customer_native_name"`
	CustomerCountry      string    `json:"customer_country"`
	Image                *string   `json:"image"`
}

func render(r *http.Request, o *Organisation) organisation {
	origin := "http://" + r.Host
	return organisation{
		URL: origin + path + o.UUID + "/", UUID: o.UUID, Created: o.Created, Description: o.Description,
		Customer: origin + "/api/customers/" + o.Customer + "/", CustomerName: o.Name, CustomerUUID: o.Customer,
		CustomerImage: image(origin, o.CustomerImage), CustomerAbbreviation: o.Abbreviation, CustomerNativeName: o.NativeName,
		CustomerCountry: o.Country, Image: image(origin, o.Image),
	}
}

func image(origin string, id sql.NullString) *string {
	if !id.Valid {
		return nil
	}
	url := origin + "/api/media/" + id.String + "/"
	return &url
}

// member is what an answer shows of one.
type member struct {
	UUID              string     `json:"uuid"`
	Created           time.Time  `json:"created"`
	ExpirationTime    *time.Time `json:"expiration_time"`
	RoleName          string     `json:"role_name"`
	RoleUUID          string     `json:"role_uuid"`
	UserEmail         *string    `json:"user_email"`
	UserFullName      string     `json:"user_full_name"`
	UserUsername      string     `json:"user_username"`
	UserUUID          string     `json:"user_uuid"`
	UserImage         *string    `json:"user_image"`
	CreatedByFullName string     `json:"created_by_full_name,omitempty"`
	CreatedByUUID     string     `json:"created_by_uuid,omitempty"`
}

func renderMember(r *http.Request, m *Member) member {
	shown := member{
		UUID: m.UUID, Created: m.Created, RoleName: m.RoleName, RoleUUID: m.RoleUUID, UserFullName: m.FullName, UserUsername: m.Username,
		UserUUID: m.User, UserImage: image("http://"+r.Host, m.Image), CreatedByFullName: m.CreatedByName.String, CreatedByUUID: m.CreatedByUUID.String,
	}
	if m.Expires.Valid {
		shown.ExpirationTime = &m.Expires.Time
	}
	if m.Email != "" {
		shown.UserEmail = &m.Email
	}
	return shown
}

// expiration is the answer to a new role, which is always one for good.
type expiration struct {
	ExpirationTime *time.Time `json:"expiration_time"`
}
