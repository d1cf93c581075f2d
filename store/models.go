package store

import (
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
	UUID         uuid.UUID `gorm:"primaryKey"`
	Name         string
	Abbreviation string
	NativeName   string
	Country      string // ISO 3166-1 alpha-2, or ""
	ImageUUID    *uuid.UUID
	Blocked      bool
	Archived     bool
	Created      time.Time
	NameKey      string // filled by the store: FoldCase of Name
	Search       string // filled by the store: what customer_keyword looks through
}

// Available says whether roles and organisations may be given out on the customer.
func (c Customer) Available() bool { return !c.Blocked && !c.Archived }

// User is somebody who may sign in with a token.
type User struct {
	UUID           uuid.UUID `gorm:"primaryKey"`
	Username       string
	Slug           string
	FullName       string
	NativeName     string
	Email          string
	ImageUUID      *uuid.UUID
	IsStaff        bool
	IsSupport      bool
	IsActive       bool
	Created        time.Time
	FullNameKey    string // this and the following are filled by the store, for search and order
	NativeNameKey  string
	EmailKey       string
	SlugKey        string
	FullNameSearch string
}

// Token is what a user signs in with, known only by its SHA-256 in lower-case hex.
type Token struct {
	Digest   string `gorm:"primaryKey"`
	UserUUID uuid.UUID
	Created  time.Time
	Expires  *time.Time // nil: never
}

// Role is a named set of permissions for one kind of scope.
type Role struct {
	UUID        uuid.UUID `gorm:"primaryKey"`
	Name        string
	Scope       Scope
	Description string
	IsActive    bool
	Permissions []string `gorm:"-"` // sorted; in a table of their own
}

// RolePermission is one permission of a role.
type RolePermission struct {
	RoleUUID   uuid.UUID `gorm:"primaryKey"`
	Permission string    `gorm:"primaryKey"`
}

// CallManagingOrganisation is a customer's organisation for calls, as its table holds it, but for
// the copies of the customer's columns, which the database keeps by itself.
type CallManagingOrganisation struct {
	UUID         uuid.UUID `gorm:"primaryKey"`
	CustomerUUID uuid.UUID
	Description  string
	ImageUUID    *uuid.UUID
	Created      time.Time
}

// UserRole is a role granted to a user in one scope: CustomerUUID or OrganisationUUID is set.
type UserRole struct {
	UUID             uuid.UUID `gorm:"primaryKey"`
	UserUUID         uuid.UUID
	RoleUUID         uuid.UUID
	CustomerUUID     *uuid.UUID
	OrganisationUUID *uuid.UUID
	Created          time.Time
	CreatedByUUID    *uuid.UUID // nil: not known
	ExpirationTime   *time.Time // nil: permanent
	Revoked          *time.Time // nil: not revoked
}

// Call is a call for proposals.
type Call struct {
	UUID             uuid.UUID `gorm:"primaryKey"`
	OrganisationUUID uuid.UUID
	Name             string
	Slug             string
	Description      string
	State            string // draft, active, archived
	Created          time.Time
}

// Round is a time in which proposals to a call are taken.
type Round struct {
	UUID       uuid.UUID `gorm:"primaryKey"`
	CallUUID   uuid.UUID
	Name       string
	StartTime  time.Time
	CutoffTime time.Time
}

// Proposal is what somebody sent to a round.
type Proposal struct {
	UUID      uuid.UUID `gorm:"primaryKey"`
	RoundUUID uuid.UUID
	Name      string
	State     string // draft, team_verification, submitted, in_review, accepted, rejected, canceled
}

// Review is a reviewer's opinion of a proposal.
type Review struct {
	UUID         uuid.UUID `gorm:"primaryKey"`
	ProposalUUID uuid.UUID
	ReviewerUUID uuid.UUID
	State        string // created, in_review, submitted, rejected
}

// RequestedOffering is an offering that a call asks for.
type RequestedOffering struct {
	UUID     uuid.UUID `gorm:"primaryKey"`
	CallUUID uuid.UUID
	Offering string // its name
	State    string // requested, accepted, canceled
}

// Image is an uploaded picture.
type Image struct {
	UUID      uuid.UUID `gorm:"primaryKey"`
	MediaType string
	SHA256    string `gorm:"column:sha256"` // lower-case hex
	Bytes     []byte
	Created   time.Time
}

// AuditEvent is who did what, when, on what, from which request.
type AuditEvent struct {
	UUID       uuid.UUID `gorm:"primaryKey"`
	Created    time.Time
	ActorUUID  *uuid.UUID // nil: the command line or an import
	RequestID  string     // "" outside of a request
	Action     string     // such as call_managing_organisation.create
	ObjectType string     // such as call_managing_organisation
	ObjectUUID string     // the object's UUID, or its key where it has none
	Details    string     // a few words on what changed
}
