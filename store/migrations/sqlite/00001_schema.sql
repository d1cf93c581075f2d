-- +goose Up
-- UUIDs are text: a column declared uuid would have NUMERIC affinity and corrupt them.

CREATE TABLE images (
    uuid       text NOT NULL PRIMARY KEY,
    media_type text NOT NULL,
    sha256     text NOT NULL,
    bytes      blob NOT NULL,
    created    datetime NOT NULL
);

CREATE TABLE customers (
    uuid         text NOT NULL PRIMARY KEY,
    name         text NOT NULL,
    abbreviation text NOT NULL,
    native_name  text NOT NULL,
    country      text NOT NULL,
    image_uuid   text REFERENCES images (uuid),
    blocked      boolean NOT NULL,
    archived     boolean NOT NULL,
    created      datetime NOT NULL,
    -- Filled in Go, the same on both engines: collation keys to order by, and name, abbreviation and native
    -- name case-folded one after another.
    name_key         blob NOT NULL,
    abbreviation_key blob NOT NULL,
    native_name_key  blob NOT NULL,
    search           text NOT NULL
);
-- The orders of the list of customers.
CREATE INDEX customers_name_key_idx ON customers (name_key, uuid);
CREATE INDEX customers_abbreviation_key_idx ON customers (abbreviation_key, uuid);
CREATE INDEX customers_native_name_key_idx ON customers (native_name_key, uuid);
CREATE INDEX customers_created_idx ON customers (created, uuid);
-- A search scans this index alone, in the list's order.
CREATE INDEX customers_search_idx ON customers (name_key, uuid, archived, search);

CREATE TABLE users (
    uuid               text NOT NULL PRIMARY KEY,
    username           text NOT NULL,
    slug               text NOT NULL,
    first_name         text NOT NULL,
    last_name          text NOT NULL,
    full_name          text NOT NULL, -- both together
    native_name        text NOT NULL,
    email              text NOT NULL,
    password_hash      text NOT NULL, -- Argon2id; '' is none
    image_uuid         text REFERENCES images (uuid),
    is_staff           boolean NOT NULL,
    is_support         boolean NOT NULL,
    is_active          boolean NOT NULL,
    created            datetime NOT NULL,
    -- Filled in Go, the same on both engines: collation keys to order by, case-folded texts to
    -- search in, and the full name without accents.
    username_key       blob NOT NULL,
    full_name_key      blob NOT NULL,
    native_name_key    blob NOT NULL,
    email_key          blob NOT NULL,
    full_name_search   text NOT NULL,
    full_name_plain    text NOT NULL,
    native_name_search text NOT NULL,
    email_search       text NOT NULL,
    slug_search        text NOT NULL,
    CONSTRAINT users_username_key UNIQUE (username)
);
-- The orders of a list of users.
CREATE INDEX users_username_key_uuid_idx ON users (username_key, uuid);
CREATE INDEX users_full_name_key_uuid_idx ON users (full_name_key, uuid);

-- A token is known by the SHA-256 of its text alone.
CREATE TABLE tokens (
    digest    text NOT NULL PRIMARY KEY,
    user_uuid text NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    created   datetime NOT NULL,
    expires   datetime,
    lifetime  bigint NOT NULL -- by which each use moves the end, in seconds; 0 is not at all
);
CREATE INDEX tokens_expires_idx ON tokens (expires) WHERE expires IS NOT NULL;
CREATE INDEX tokens_user_uuid_idx ON tokens (user_uuid);

-- Sign-ins that failed lately, so that every replica knows of them.
CREATE TABLE sign_in_failures (
    username text NOT NULL,
    address  text NOT NULL, -- of the client
    failures bigint NOT NULL,
    last     datetime NOT NULL,
    PRIMARY KEY (username, address)
);
CREATE INDEX sign_in_failures_last_idx ON sign_in_failures (last);

CREATE TABLE roles (
    uuid        text NOT NULL PRIMARY KEY,
    name        text NOT NULL,
    scope       text NOT NULL,
    description text NOT NULL,
    is_active   boolean NOT NULL,
    name_key    blob NOT NULL, -- the collation key, filled in Go
    CONSTRAINT roles_name_key UNIQUE (name),
    CONSTRAINT roles_scope_check CHECK (scope IN ('customer', 'call_managing_organisation'))
);

CREATE TABLE role_permissions (
    role_uuid  text NOT NULL REFERENCES roles (uuid) ON DELETE CASCADE,
    permission text NOT NULL,
    PRIMARY KEY (role_uuid, permission)
);

CREATE TABLE call_managing_organisations (
    uuid            text NOT NULL PRIMARY KEY,
    customer_uuid   text NOT NULL REFERENCES customers (uuid),
    description     text NOT NULL,
    image_uuid      text REFERENCES images (uuid),
    created         datetime NOT NULL,
    -- Copies of the customer's name_key and search, which the code that writes the customer keeps
    -- in step: one index gives a page of the list in order, and a search reads no other table.
    customer_key    blob NOT NULL,
    customer_search text NOT NULL,
    CONSTRAINT call_managing_organisations_customer_uuid_key UNIQUE (customer_uuid),
    CONSTRAINT call_managing_organisations_description_check CHECK (length(description) <= 4096)
);
CREATE INDEX call_managing_organisations_customer_key_idx ON call_managing_organisations (customer_key, uuid);
-- A search scans this index alone, in the list's order.
CREATE INDEX call_managing_organisations_customer_search_idx ON call_managing_organisations (customer_key, uuid, customer_search);

-- A role that a user holds. Each kind of scope has a column, of which exactly one is set; a
-- new kind adds its column, its part of the check and its unique index.
CREATE TABLE user_roles (
    uuid              text NOT NULL PRIMARY KEY,
    user_uuid         text NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    role_uuid         text NOT NULL REFERENCES roles (uuid),
    customer_uuid     text REFERENCES customers (uuid) ON DELETE CASCADE,
    organisation_uuid text REFERENCES call_managing_organisations (uuid) ON DELETE CASCADE,
    created           datetime NOT NULL,
    created_by_uuid   text REFERENCES users (uuid) ON DELETE SET NULL,
    expiration_time   datetime,
    revoked           datetime,
    CONSTRAINT user_roles_scope_check CHECK ((customer_uuid IS NULL) <> (organisation_uuid IS NULL))
);
CREATE UNIQUE INDEX user_roles_customer_uuid_user_uuid_role_uuid_key ON user_roles (customer_uuid, user_uuid, role_uuid)
    WHERE revoked IS NULL AND customer_uuid IS NOT NULL;
CREATE UNIQUE INDEX user_roles_organisation_uuid_user_uuid_role_uuid_key ON user_roles (organisation_uuid, user_uuid, role_uuid)
    WHERE revoked IS NULL AND organisation_uuid IS NOT NULL;
-- Who holds roles on a customer or on an organisation, oldest grant first, is counted from these indexes alone;
-- SQLite needs revoked in them for that.
CREATE INDEX user_roles_customer_uuid_created_idx
    ON user_roles (customer_uuid, created, uuid, user_uuid, expiration_time, revoked)
    WHERE revoked IS NULL AND customer_uuid IS NOT NULL;
CREATE INDEX user_roles_organisation_uuid_created_idx
    ON user_roles (organisation_uuid, created, uuid, user_uuid, expiration_time, revoked)
    WHERE revoked IS NULL AND organisation_uuid IS NOT NULL;
-- What a user holds.
CREATE INDEX user_roles_user_uuid_idx ON user_roles (user_uuid) WHERE revoked IS NULL;
-- Rows that refer to an image, a customer or an organisation are found when that is removed.
CREATE INDEX user_roles_customer_uuid_idx ON user_roles (customer_uuid) WHERE customer_uuid IS NOT NULL;
CREATE INDEX user_roles_organisation_uuid_idx ON user_roles (organisation_uuid) WHERE organisation_uuid IS NOT NULL;
CREATE INDEX customers_image_uuid_idx ON customers (image_uuid) WHERE image_uuid IS NOT NULL;
CREATE INDEX users_image_uuid_idx ON users (image_uuid) WHERE image_uuid IS NOT NULL;
CREATE INDEX call_managing_organisations_image_uuid_idx
    ON call_managing_organisations (image_uuid) WHERE image_uuid IS NOT NULL;
-- Deactivated users, whose roles don't count.
CREATE INDEX users_inactive_uuid_idx ON users (uuid) WHERE NOT is_active;

CREATE TABLE calls (
    uuid              text NOT NULL PRIMARY KEY,
    organisation_uuid text NOT NULL REFERENCES call_managing_organisations (uuid),
    name              text NOT NULL,
    slug              text NOT NULL,
    description       text NOT NULL,
    state             text NOT NULL,
    created           datetime NOT NULL,
    CONSTRAINT calls_state_check CHECK (state IN ('draft', 'active', 'archived'))
);
CREATE INDEX calls_organisation_uuid_state_idx ON calls (organisation_uuid, state);

CREATE TABLE rounds (
    uuid        text NOT NULL PRIMARY KEY,
    call_uuid   text NOT NULL REFERENCES calls (uuid),
    name        text NOT NULL,
    start_time  datetime NOT NULL,
    cutoff_time datetime NOT NULL,
    CONSTRAINT rounds_cutoff_time_check CHECK (cutoff_time > start_time)
);
CREATE INDEX rounds_call_uuid_cutoff_time_idx ON rounds (call_uuid, cutoff_time);

CREATE TABLE proposals (
    uuid       text NOT NULL PRIMARY KEY,
    round_uuid text NOT NULL REFERENCES rounds (uuid),
    name       text NOT NULL,
    state      text NOT NULL,
    CONSTRAINT proposals_state_check CHECK (state IN ('draft', 'team_verification', 'submitted', 'in_review', 'accepted', 'rejected', 'canceled'))
);
CREATE INDEX proposals_round_uuid_state_idx ON proposals (round_uuid, state);

CREATE TABLE reviews (
    uuid          text NOT NULL PRIMARY KEY,
    proposal_uuid text NOT NULL REFERENCES proposals (uuid),
    reviewer_uuid text NOT NULL REFERENCES users (uuid),
    state         text NOT NULL,
    CONSTRAINT reviews_state_check CHECK (state IN ('created', 'in_review', 'submitted', 'rejected'))
);
CREATE INDEX reviews_proposal_uuid_state_idx ON reviews (proposal_uuid, state);

CREATE TABLE requested_offerings (
    uuid      text NOT NULL PRIMARY KEY,
    call_uuid text NOT NULL REFERENCES calls (uuid),
    offering  text NOT NULL,
    state     text NOT NULL,
    CONSTRAINT requested_offerings_state_check CHECK (state IN ('requested', 'accepted', 'canceled'))
);
CREATE INDEX requested_offerings_call_uuid_state_idx ON requested_offerings (call_uuid, state);

-- Who did what, when, on what, from which request. No foreign keys: an event outlives
-- what it speaks of.
CREATE TABLE audit_events (
    uuid              text NOT NULL PRIMARY KEY,
    created           datetime NOT NULL,
    actor_uuid        text,
    request_id        text NOT NULL,
    action            text NOT NULL,
    object_type       text NOT NULL,
    object_uuid       text NOT NULL,
    -- What the object is about, such as whose role on what organisation.
    user_uuid         text,
    role_uuid         text,
    customer_uuid     text,
    organisation_uuid text,
    details           text NOT NULL
);
-- The newest are listed first, the oldest removed first.
CREATE INDEX audit_events_created_idx ON audit_events (created, uuid);
-- What a user did, and what was done to a user, a customer or an organisation.
CREATE INDEX audit_events_actor_uuid_idx ON audit_events (actor_uuid) WHERE actor_uuid IS NOT NULL;
CREATE INDEX audit_events_user_uuid_idx ON audit_events (user_uuid) WHERE user_uuid IS NOT NULL;
CREATE INDEX audit_events_customer_uuid_idx ON audit_events (customer_uuid) WHERE customer_uuid IS NOT NULL;
CREATE INDEX audit_events_organisation_uuid_idx ON audit_events (organisation_uuid) WHERE organisation_uuid IS NOT NULL;

-- What the database itself is marked with, such as that demo data filled it.
CREATE TABLE settings (
    name  text NOT NULL PRIMARY KEY,
    value text NOT NULL
);

-- Totals that would cost a scan; triggers keep them.
CREATE TABLE counters (
    name  text NOT NULL PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO counters (name, value) VALUES ('call_managing_organisations', 0), ('customers', 0), ('users', 0);

-- +goose StatementBegin
CREATE TRIGGER call_managing_organisations_inserted AFTER INSERT ON call_managing_organisations
BEGIN
    UPDATE counters SET value = value + 1 WHERE name = 'call_managing_organisations';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER call_managing_organisations_deleted AFTER DELETE ON call_managing_organisations
BEGIN
    UPDATE counters SET value = value - 1 WHERE name = 'call_managing_organisations';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER customers_inserted AFTER INSERT ON customers
BEGIN
    UPDATE counters SET value = value + 1 WHERE name = 'customers';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER customers_deleted AFTER DELETE ON customers
BEGIN
    UPDATE counters SET value = value - 1 WHERE name = 'customers';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER users_inserted AFTER INSERT ON users
BEGIN
    UPDATE counters SET value = value + 1 WHERE name = 'users';
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER users_deleted AFTER DELETE ON users
BEGIN
    UPDATE counters SET value = value - 1 WHERE name = 'users';
END;
-- +goose StatementEnd

-- The built-in roles, the same in every database. name_key is the collation key of the name.
INSERT INTO roles (uuid, name, scope, description, is_active, name_key) VALUES
    ('00000000-0000-4000-8000-000000000001', 'CUSTOMER.OWNER', 'customer', 'Organization owner', true,
     X'161d183617f3181617711741164c17bd017217711871174f164c17bd00000000ffff08ffff08ffff08ffff08ffff08ffff08ffff08ffff08fffe08ffff08ffff08ffff08ffff08'),
    ('00000000-0000-4000-8000-000000000002', 'CUSTOMER.MANAGER', 'customer', 'Organization manager', true,
     X'161d183617f3181617711741164c17bd0172174115ef174f15ef1691164c17bd00000000ffff08ffff08ffff08ffff08ffff08ffff08ffff08ffff08fffe08ffff08ffff08ffff08ffff08ffff08ffff08'),
    ('00000000-0000-4000-8000-000000000003', 'CUSTOMER.SUPPORT', 'customer', 'Organization support', false,
     X'161d183617f3181617711741164c17bd017217f3183617961796177117bd181600000000ffff08ffff08ffff08ffff08ffff08ffff08ffff08ffff08fffe08ffff08ffff08ffff08ffff08ffff08ffff08'),
    ('00000000-0000-4000-8000-000000000004', 'CUSTOMER.CALL_ORGANIZER', 'call_managing_organisation', 'Organization call organizer', true,
     X'161d183617f3181617711741164c17bd0172161d15ef17111711010b177117bd169115ef174f16cd1895164c17bd00000000ffff08ffff08ffff08ffff08ffff08ffff08ffff08ffff08fffe08ffff08ffff08ffff08fffe08ffff08ffff08ffff08ffff08ffff08ffff08ffff08ffff08');
INSERT INTO role_permissions (role_uuid, permission) VALUES
    ('00000000-0000-4000-8000-000000000001', 'CALL.APPROVE_AND_REJECT_PROPOSALS'),
    ('00000000-0000-4000-8000-000000000001', 'CALL.CLOSE_ROUNDS'),
    ('00000000-0000-4000-8000-000000000001', 'CALL.CREATE_PERMISSION'),
    ('00000000-0000-4000-8000-000000000001', 'CALL.DELETE_PERMISSION'),
    ('00000000-0000-4000-8000-000000000001', 'CALL.UPDATE_PERMISSION'),
    ('00000000-0000-4000-8000-000000000001', 'CUSTOMER.CREATE_PERMISSION'),
    ('00000000-0000-4000-8000-000000000001', 'CUSTOMER.DELETE_PERMISSION'),
    ('00000000-0000-4000-8000-000000000001', 'CUSTOMER.UPDATE_PERMISSION'),
    ('00000000-0000-4000-8000-000000000001', 'OFFERING.ACCEPT_CALL_REQUEST'),
    ('00000000-0000-4000-8000-000000000004', 'CALL.APPROVE_AND_REJECT_PROPOSALS'),
    ('00000000-0000-4000-8000-000000000004', 'CALL.CLOSE_ROUNDS'),
    ('00000000-0000-4000-8000-000000000004', 'CALL.CREATE'),
    ('00000000-0000-4000-8000-000000000004', 'CALL.CREATE_PERMISSION'),
    ('00000000-0000-4000-8000-000000000004', 'CALL.DELETE_PERMISSION'),
    ('00000000-0000-4000-8000-000000000004', 'CALL.LIST'),
    ('00000000-0000-4000-8000-000000000004', 'CALL.UPDATE_PERMISSION'),
    ('00000000-0000-4000-8000-000000000004', 'PROPOSAL.LIST'),
    ('00000000-0000-4000-8000-000000000004', 'PROPOSAL.MANAGE_REVIEW'),
    ('00000000-0000-4000-8000-000000000004', 'ROUND.LIST');

-- The mark by which the program knows its schema.
INSERT INTO settings (name, value) VALUES ('schema', '0.1.0');

-- +goose Down
DROP TABLE counters;
DROP TABLE settings;
DROP TABLE audit_events;
DROP TABLE requested_offerings;
DROP TABLE reviews;
DROP TABLE proposals;
DROP TABLE rounds;
DROP TABLE calls;
DROP TABLE user_roles;
DROP TABLE call_managing_organisations;
DROP TABLE role_permissions;
DROP TABLE roles;
DROP TABLE sign_in_failures;
DROP TABLE tokens;
DROP TABLE users;
DROP TABLE customers;
DROP TABLE images;
