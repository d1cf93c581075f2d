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

// Customer is an organisation of the outside world, which may run calls.
type Customer struct {
	UUID         uuid.UUID  `gorm:"column:uuid;primaryKey"`
	Name         string     `gorm:"column:name"`
	Abbreviation string     `gorm:"column:abbreviation"`
	NativeName   string     `gorm:"column:native_name"`
	Country      string     `gorm:"column:country"` // ISO 3166-1 alpha-2, or ""
	ImageUUID    *uuid.UUID `gorm:"column:image_uuid"`
	Blocked      bool       `gorm:"column:blocked"`
	Archived     bool       `gorm:"column:archived"`
	Created      time.Time  `gorm:"column:created"`
	NameKey      []byte     `gorm:"column:name_key"` // this and the following are filled by fillKeys
	Search       string     `gorm:"column:search"`
}

// fillKeys fills the columns that customers are ordered by and searched in.
func (c *Customer) fillKeys() {
	c.NameKey = CollationKey(c.Name)
	texts := []string{FoldCase(c.Name), FoldCase(c.Abbreviation), FoldCase(c.NativeName)}
	c.Search = strings.Join(texts, string(searchSeparator))
}

// Available says whether roles and organisations may be given out on the customer.
func (c Customer) Available() bool { return !c.Blocked && !c.Archived }

// User is somebody who may sign in with a token.
type User struct {
	UUID             uuid.UUID  `gorm:"column:uuid;primaryKey"`
	Username         string     `gorm:"column:username"`
	Slug             string     `gorm:"column:slug"`
	FullName         string     `gorm:"column:full_name"`
	NativeName       string     `gorm:"column:native_name"`
	Email            string     `gorm:"column:email"`
	ImageUUID        *uuid.UUID `gorm:"column:image_uuid"`
	IsStaff          bool       `gorm:"column:is_staff"`
	IsSupport        bool       `gorm:"column:is_support"`
	IsActive         bool       `gorm:"column:is_active"`
	Created          time.Time  `gorm:"column:created"`
	UsernameKey      []byte     `gorm:"column:username_key"` // this and the following are filled by fillKeys
	FullNameKey      []byte     `gorm:"column:full_name_key"`
	NativeNameKey    []byte     `gorm:"column:native_name_key"`
	EmailKey         []byte     `gorm:"column:email_key"`
	FullNameSearch   string     `gorm:"column:full_name_search"`
	FullNamePlain    string     `gorm:"column:full_name_plain"`
	NativeNameSearch string     `gorm:"column:native_name_search"`
	EmailSearch      string     `gorm:"column:email_search"`
	SlugSearch       string     `gorm:"column:slug_search"`
}

// fillKeys fills the columns that users are ordered by and searched in.
func (u *User) fillKeys() {
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
	Digest   string     `gorm:"column:digest;primaryKey"`
	UserUUID uuid.UUID  `gorm:"column:user_uuid"`
	Created  time.Time  `gorm:"column:created"`
	Expires  *time.Time `gorm:"column:expires"` // nil: never
}

// Role is a named set of permissions for one kind of scope.
type Role struct {
	UUID        uuid.UUID `gorm:"column:uuid;primaryKey"`
	Name        string    `gorm:"column:name"`
	Scope       Scope     `gorm:"column:scope"`
	Description string    `gorm:"column:description"`
	IsActive    bool      `gorm:"column:is_active"`
	NameKey     []byte    `gorm:"column:name_key"` // filled by fillKeys
	Permissions []string  `gorm:"-"`               // sorted; in a table of their own
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
	UUID           uuid.UUID  `gorm:"column:uuid;primaryKey"`
	CustomerUUID   uuid.UUID  `gorm:"column:customer_uuid"`
	Description    string     `gorm:"column:description"`
	ImageUUID      *uuid.UUID `gorm:"column:image_uuid"`
	Created        time.Time  `gorm:"column:created"`
	CustomerKey    []byte     `gorm:"column:customer_key"`    // copy of the customer's NameKey, filled by the store
	CustomerSearch string     `gorm:"column:customer_search"` // copy of the customer's Search, filled by the store
}

// UserRole is a role granted to a user in one scope: CustomerUUID or OrganisationUUID is set.
type UserRole struct {
	UUID             uuid.UUID  `gorm:"column:uuid;primaryKey"`
	UserUUID         uuid.UUID  `gorm:"column:user_uuid"`
	RoleUUID         uuid.UUID  `gorm:"column:role_uuid"`
	CustomerUUID     *uuid.UUID `gorm:"column:customer_uuid"`
	OrganisationUUID *uuid.UUID `gorm:"column:organisation_uuid"`
	Created          time.Time  `gorm:"column:created"`
	CreatedByUUID    *uuid.UUID `gorm:"column:created_by_uuid"` // nil: not known
	ExpirationTime   *time.Time `gorm:"column:expiration_time"` // nil: permanent
	Revoked          *time.Time `gorm:"column:revoked"`         // nil: not revoked
}

// Call is a call for proposals.
type Call struct {
	UUID             uuid.UUID `gorm:"column:uuid;primaryKey"`
	OrganisationUUID uuid.UUID `gorm:"column:organisation_uuid"`
	Name             string    `gorm:"column:name"`
	Slug             string    `gorm:"column:slug"`
	Description      string    `gorm:"column:description"`
	State            string    `gorm:"column:state"` // draft, active, archived
	Created          time.Time `gorm:"column:created"`
}

// Round is a time in which proposals to a call are taken.
type Round struct {
	UUID       uuid.UUID `gorm:"column:uuid;primaryKey"`
	CallUUID   uuid.UUID `gorm:"column:call_uuid"`
	Name       string    `gorm:"column:name"`
	StartTime  time.Time `gorm:"column:start_time"`
	CutoffTime time.Time `gorm:"column:cutoff_time"`
}

// Proposal is what somebody sent to a round. Its State is draft, team_verification, submitted, in_review,
// accepted, rejected or canceled.
type Proposal struct {
	UUID      uuid.UUID `gorm:"column:uuid;primaryKey"`
	RoundUUID uuid.UUID `gorm:"column:round_uuid"`
	Name      string    `gorm:"column:name"`
	State     string    `gorm:"column:state"`
}

// Review is a reviewer's opinion of a proposal.
type Review struct {
	UUID         uuid.UUID `gorm:"column:uuid;primaryKey"`
	ProposalUUID uuid.UUID `gorm:"column:proposal_uuid"`
	ReviewerUUID uuid.UUID `gorm:"column:reviewer_uuid"`
	State        string    `gorm:"column:state"` // created, in_review, submitted, rejected
}

// RequestedOffering is an offering that a call asks for.
type RequestedOffering struct {
	UUID     uuid.UUID `gorm:"column:uuid;primaryKey"`
	CallUUID uuid.UUID `gorm:"column:call_uuid"`
	Offering string    `gorm:"column:offering"` // its name
	State    string    `gorm:"column:state"`    // requested, accepted, canceled
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
}
