package store

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// Scope is a kind of object on which roles are granted.
type Scope string

// The scopes, as roles.scope holds them.
const (
	ScopeCustomer     Scope = "customer"
	ScopeOrganisation Scope = "call_managing_organisation"
)

// ScopeOf is an object on which roles are granted.
type ScopeOf struct {
	Kind Scope
	UUID uuid.UUID
}

// column is the column of user_roles that names the object.
func (s ScopeOf) column() string {
	if s.Kind == ScopeCustomer {
		return "customer_uuid"
	}
	return "organisation_uuid"
}

// The json and rules tags of rows are the import file's: see fixture/entries.go.

// Customer is an organisation of the outside world, which may run calls.
type Customer struct {
	UUID            uuid.UUID  `gorm:"column:uuid;primaryKey" json:"uuid" rules:"required"`
	Name            string     `gorm:"column:name" json:"name" rules:"required,max=150"`
	Abbreviation    string     `gorm:"column:abbreviation" json:"abbreviation" rules:"max=12"`
	NativeName      string     `gorm:"column:native_name" json:"native_name" rules:"max=160"`
	Country         string     `gorm:"column:country" json:"country" rules:"is=country"` // ISO 3166-1 alpha-2, or ""
	ImageUUID       *uuid.UUID `gorm:"column:image_uuid" json:"-"`
	Blocked         bool       `gorm:"column:blocked" json:"blocked"`
	Archived        bool       `gorm:"column:archived" json:"archived"`
	Created         time.Time  `gorm:"column:created" json:"created"`
	NameKey         []byte     `gorm:"column:name_key" json:"-"` // this and the following are filled by fillKeys
	AbbreviationKey []byte     `gorm:"column:abbreviation_key" json:"-"`
	NativeNameKey   []byte     `gorm:"column:native_name_key" json:"-"`
	Search          string     `gorm:"column:search" json:"-"`
}

// fillKeys fills the columns that customers are ordered by and searched in.
func (c *Customer) fillKeys() {
	c.NameKey = CollationKey(c.Name)
	c.AbbreviationKey = CollationKey(c.Abbreviation)
	c.NativeNameKey = CollationKey(c.NativeName)
	texts := []string{FoldCase(c.Name), FoldCase(c.Abbreviation), FoldCase(c.NativeName)}
	c.Search = strings.Join(texts, string(searchSeparator))
}

// Available says whether roles and organisations may be given out on the customer.
func (c Customer) Available() bool { return !c.Blocked && !c.Archived }

// Scope is the customer as what roles are granted on.
func (c Customer) Scope() ScopeOf { return ScopeOf{ScopeCustomer, c.UUID} }

// User is somebody who may sign in with a token.
type User struct {
	UUID             uuid.UUID  `gorm:"column:uuid;primaryKey" json:"uuid" rules:"required"`
	Username         string     `gorm:"column:username" json:"username" rules:"required,is=username"`
	Slug             string     `gorm:"column:slug" json:"slug"`
	FirstName        string     `gorm:"column:first_name" json:"first_name"`
	LastName         string     `gorm:"column:last_name" json:"last_name"`
	FullName         string     `gorm:"column:full_name" json:"-"` // both together, filled by fillKeys
	NativeName       string     `gorm:"column:native_name" json:"native_name"`
	Email            string     `gorm:"column:email" json:"email" rules:"is=email"`
	PasswordHash     string     `gorm:"column:password_hash" json:"password_hash,omitempty" rules:"is=passwordhash"` // "": none
	ImageUUID        *uuid.UUID `gorm:"column:image_uuid" json:"-"`
	IsStaff          bool       `gorm:"column:is_staff" json:"is_staff"`
	IsSupport        bool       `gorm:"column:is_support" json:"is_support"`
	IsActive         bool       `gorm:"column:is_active" json:"is_active" rules:"default=true"`
	Created          time.Time  `gorm:"column:created" json:"created"`
	UsernameKey      []byte     `gorm:"column:username_key" json:"-"` // this and the following are filled by fillKeys
	FullNameKey      []byte     `gorm:"column:full_name_key" json:"-"`
	NativeNameKey    []byte     `gorm:"column:native_name_key" json:"-"`
	EmailKey         []byte     `gorm:"column:email_key" json:"-"`
	FullNameSearch   string     `gorm:"column:full_name_search" json:"-"`
	FullNamePlain    string     `gorm:"column:full_name_plain" json:"-"`
	NativeNameSearch string     `gorm:"column:native_name_search" json:"-"`
	EmailSearch      string     `gorm:"column:email_search" json:"-"`
	SlugSearch       string     `gorm:"column:slug_search" json:"-"`
}

// FillFullName fills the full name, which follows from the first and the last name.
func (u *User) FillFullName() { u.FullName = strings.TrimSpace(u.FirstName + " " + u.LastName) }

// fillKeys fills the full name and the columns that users are ordered by and searched in.
func (u *User) fillKeys() {
	u.FillFullName()
	u.UsernameKey = CollationKey(u.Username)
	u.FullNameKey = CollationKey(u.FullName)
	u.NativeNameKey = CollationKey(u.NativeName)
	u.EmailKey = CollationKey(u.Email)
	u.FullNameSearch = FoldCase(u.FullName)
	u.FullNamePlain = FoldAccents(u.FullName)
	u.NativeNameSearch = FoldCase(u.NativeName)
	u.EmailSearch = FoldCase(u.Email)
	u.SlugSearch = FoldCase(u.Slug)
}

// Token is what a user signs in with, known only by its SHA-256 in lower-case hex.
type Token struct {
	Digest   string     `gorm:"column:digest;primaryKey" json:"sha256" rules:"required,is=sha256"`
	UserUUID uuid.UUID  `gorm:"column:user_uuid" json:"-"`
	Created  time.Time  `gorm:"column:created" json:"created"`
	Expires  *time.Time `gorm:"column:expires" json:"expires"` // nil: never
	Lifetime int64      `gorm:"column:lifetime" json:"-"`      // in seconds, by which each use moves the end; 0: not at all
}

// SignInFailures are the failed sign-ins to a username from a client's address.
type SignInFailures struct {
	Username string    `gorm:"column:username;primaryKey"`
	Address  string    `gorm:"column:address;primaryKey"`
	Failures int64     `gorm:"column:failures"`
	Last     time.Time `gorm:"column:last"`
}

// Role is a named set of permissions for one kind of scope.
type Role struct {
	UUID        uuid.UUID `gorm:"column:uuid;primaryKey" json:"uuid" rules:"required"`
	Name        string    `gorm:"column:name" json:"name" rules:"required,is=rolename"`
	Scope       Scope     `gorm:"column:scope" json:"scope" rules:"required,oneof=customer|call_managing_organisation"`
	Permissions []string  `gorm:"-" json:"permissions" rules:"required"` // sorted; in a table of their own
	Description string    `gorm:"column:description" json:"description" rules:"max=4096"`
	IsActive    bool      `gorm:"column:is_active" json:"is_active" rules:"default=true"`
	NameKey     []byte    `gorm:"column:name_key" json:"-"` // filled by fillKeys
}

// fillKeys fills the column that roles are ordered by.
func (r *Role) fillKeys() { r.NameKey = CollationKey(r.Name) }

// RolePermission is one permission of a role.
type RolePermission struct {
	RoleUUID   uuid.UUID `gorm:"column:role_uuid;primaryKey"`
	Permission string    `gorm:"column:permission;primaryKey"`
}

// CallManagingOrganisation is a customer's organisation for calls, as its table holds it.
type CallManagingOrganisation struct {
	UUID           uuid.UUID  `gorm:"column:uuid;primaryKey" json:"uuid" rules:"required"`
	CustomerUUID   uuid.UUID  `gorm:"column:customer_uuid" json:"customer" rules:"required,ref=customers"`
	Description    string     `gorm:"column:description" json:"description" rules:"max=4096"`
	ImageUUID      *uuid.UUID `gorm:"column:image_uuid" json:"-"`
	Created        time.Time  `gorm:"column:created" json:"created"`
	CustomerKey    []byte     `gorm:"column:customer_key" json:"-"`    // copy of the customer's NameKey, by the store
	CustomerSearch string     `gorm:"column:customer_search" json:"-"` // copy of the customer's Search, by the store
}

// UserRole is a role granted to a user in one scope: CustomerUUID or OrganisationUUID is set.
type UserRole struct {
	UUID             uuid.UUID  `gorm:"column:uuid;primaryKey" json:"uuid"`
	UserUUID         uuid.UUID  `gorm:"column:user_uuid" json:"user" rules:"required,ref=users"`
	RoleUUID         uuid.UUID  `gorm:"column:role_uuid" json:"-"`
	CustomerUUID     *uuid.UUID `gorm:"column:customer_uuid" json:"-"`
	OrganisationUUID *uuid.UUID `gorm:"column:organisation_uuid" json:"-"`
	Created          time.Time  `gorm:"column:created" json:"created"`
	CreatedByUUID    *uuid.UUID `gorm:"column:created_by_uuid" json:"created_by" rules:"ref=users"` // nil: not known
	ExpirationTime   *time.Time `gorm:"column:expiration_time" json:"expiration_time"`              // nil: permanent
	Revoked          *time.Time `gorm:"column:revoked" json:"revoked"`                              // nil: not revoked
}

// Call is a call for proposals.
type Call struct {
	UUID             uuid.UUID `gorm:"column:uuid;primaryKey" json:"uuid" rules:"required"`
	OrganisationUUID uuid.UUID `json:"call_managing_organisation" rules:"required,ref=call_managing_organisations"`
	Name             string    `gorm:"column:name" json:"name" rules:"required"`
	Slug             string    `gorm:"column:slug" json:"slug"`
	Description      string    `gorm:"column:description" json:"description" rules:"max=4096"`
	State            string    `gorm:"column:state" json:"state" rules:"oneof=draft|active|archived"`
	Created          time.Time `gorm:"column:created" json:"created"`
}

// Round is a time in which proposals to a call are taken.
type Round struct {
	UUID       uuid.UUID `gorm:"column:uuid;primaryKey" json:"uuid" rules:"required"`
	CallUUID   uuid.UUID `gorm:"column:call_uuid" json:"call" rules:"required,ref=calls"`
	Name       string    `gorm:"column:name" json:"name"`
	StartTime  time.Time `gorm:"column:start_time" json:"start_time" rules:"required"`
	CutoffTime time.Time `gorm:"column:cutoff_time" json:"cutoff_time" rules:"required"`
}

// Proposal is what somebody sent to a round.
type Proposal struct {
	UUID      uuid.UUID `gorm:"column:uuid;primaryKey" json:"uuid" rules:"required"`
	RoundUUID uuid.UUID `gorm:"column:round_uuid" json:"round" rules:"required,ref=rounds"`
	Name      string    `gorm:"column:name" json:"name" rules:"required"`
	State     string    `json:"state" rules:"oneof=draft|team_verification|submitted|in_review|accepted|rejected|canceled"`
}

// Review is a reviewer's opinion of a proposal.
type Review struct {
	UUID         uuid.UUID `gorm:"column:uuid;primaryKey" json:"uuid" rules:"required"`
	ProposalUUID uuid.UUID `gorm:"column:proposal_uuid" json:"proposal" rules:"required,ref=proposals"`
	ReviewerUUID uuid.UUID `gorm:"column:reviewer_uuid" json:"reviewer" rules:"required,ref=users"`
	State        string    `gorm:"column:state" json:"state" rules:"oneof=created|in_review|submitted|rejected"`
}

// RequestedOffering is an offering that a call asks for.
type RequestedOffering struct {
	UUID     uuid.UUID `gorm:"column:uuid;primaryKey" json:"uuid" rules:"required"`
	CallUUID uuid.UUID `gorm:"column:call_uuid" json:"call" rules:"required,ref=calls"`
	Offering string    `gorm:"column:offering" json:"offering" rules:"required"` // its name
	State    string    `gorm:"column:state" json:"state" rules:"oneof=requested|accepted|canceled"`
}

// Image is an uploaded picture.
type Image struct {
	UUID      uuid.UUID `gorm:"column:uuid;primaryKey"`
	MediaType string    `gorm:"column:media_type"`
	SHA256    string    `gorm:"column:sha256"` // lower-case hex
	Bytes     []byte    `gorm:"column:bytes"`
	Created   time.Time `gorm:"column:created"`
}

// AuditEvent is who did what, when, on what, from which request.
type AuditEvent struct {
	UUID       uuid.UUID  `gorm:"column:uuid;primaryKey"`
	Created    time.Time  `gorm:"column:created"`
	ActorUUID  *uuid.UUID `gorm:"column:actor_uuid"`  // nil: the command line or an import
	RequestID  string     `gorm:"column:request_id"`  // "" outside of a request
	Action     string     `gorm:"column:action"`      // such as call_managing_organisation.create
	ObjectType string     `gorm:"column:object_type"` // such as call_managing_organisation
	ObjectUUID string     `gorm:"column:object_uuid"` // the object's UUID, or its key where it has none
	Details    string     `gorm:"column:details"`     // a few words on what changed

	// What the object is about, each where there is one: the grant of a role says whose it is, which role, and on
	// what; an organisation its customer.
	UserUUID         *uuid.UUID `gorm:"column:user_uuid"`
	RoleUUID         *uuid.UUID `gorm:"column:role_uuid"`
	CustomerUUID     *uuid.UUID `gorm:"column:customer_uuid"`
	OrganisationUUID *uuid.UUID `gorm:"column:organisation_uuid"`
}
