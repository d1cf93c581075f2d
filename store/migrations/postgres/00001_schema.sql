-- +goose Up
-- A migration takes as long as it takes, but waits for locks no longer than this: requests wait behind it.
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = '2s';

-- Text is compared bytewise ("C"), as SQLite does, so that both engines order alike.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE images (
    uuid       uuid NOT NULL PRIMARY KEY,
    media_type text COLLATE "C" NOT NULL,
    sha256     text COLLATE "C" NOT NULL,
    bytes      bytea NOT NULL,
    created    timestamptz NOT NULL
);

CREATE TABLE customers (
    uuid         uuid NOT NULL PRIMARY KEY,
    name         text COLLATE "C" NOT NULL,
    abbreviation text COLLATE "C" NOT NULL,
    native_name  text COLLATE "C" NOT NULL,
    country      text COLLATE "C" NOT NULL,
    image_uuid   uuid REFERENCES images (uuid),
    blocked      boolean NOT NULL,
    archived     boolean NOT NULL,
    created      timestamptz NOT NULL,
    -- Filled in Go, the same on both engines: collation keys to order by, and name, abbreviation and native
    -- name case-folded one after another.
    name_key         bytea NOT NULL,
    abbreviation_key bytea NOT NULL,
    native_name_key  bytea NOT NULL,
    search           text COLLATE "C" NOT NULL
);
-- The orders of the list of customers.
CREATE INDEX customers_name_key_idx ON customers (name_key, uuid);
CREATE INDEX customers_abbreviation_key_idx ON customers (abbreviation_key, uuid);
CREATE INDEX customers_native_name_key_idx ON customers (native_name_key, uuid);
CREATE INDEX customers_created_idx ON customers (created, uuid);
CREATE INDEX customers_search_idx ON customers USING gin (search gin_trgm_ops);

CREATE TABLE users (
    uuid               uuid NOT NULL PRIMARY KEY,
    username           text COLLATE "C" NOT NULL,
    slug               text COLLATE "C" NOT NULL,
    first_name         text COLLATE "C" NOT NULL,
    last_name          text COLLATE "C" NOT NULL,
    full_name          text COLLATE "C" NOT NULL, -- both together
    native_name        text COLLATE "C" NOT NULL,
    email              text COLLATE "C" NOT NULL,
    password_hash      text COLLATE "C" NOT NULL, -- Argon2id; '' is none
    image_uuid         uuid REFERENCES images (uuid),
    is_staff           boolean NOT NULL,
    is_support         boolean NOT NULL,
    is_active          boolean NOT NULL,
    created            timestamptz NOT NULL,
    -- Filled in Go, the same on both engines: collation keys to order by, case-folded texts to
    -- search in, and the full name without accents.
    username_key       bytea NOT NULL,
    full_name_key      bytea NOT NULL,
    native_name_key    bytea NOT NULL,
    email_key          bytea NOT NULL,
    full_name_search   text COLLATE "C" NOT NULL,
    full_name_plain    text COLLATE "C" NOT NULL,
    native_name_search text COLLATE "C" NOT NULL,
    email_search       text COLLATE "C" NOT NULL,
    slug_search        text COLLATE "C" NOT NULL,
    CONSTRAINT users_username_key UNIQUE (username)
);
-- The orders of a list of users.
CREATE INDEX users_username_key_uuid_idx ON users (username_key, uuid);
CREATE INDEX users_full_name_key_uuid_idx ON users (full_name_key, uuid);

-- A token is known by the SHA-256 of its text alone.
CREATE TABLE tokens (
    digest    text COLLATE "C" NOT NULL PRIMARY KEY,
    user_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    created   timestamptz NOT NULL,
    expires   timestamptz,
    lifetime  bigint NOT NULL -- by which each use moves the end, in seconds; 0 is not at all
);
CREATE INDEX tokens_expires_idx ON tokens (expires) WHERE expires IS NOT NULL;
CREATE INDEX tokens_user_uuid_idx ON tokens (user_uuid);

-- Sign-ins that failed lately, so that every replica knows of them.
CREATE TABLE sign_in_failures (
    username text COLLATE "C" NOT NULL,
    address  text COLLATE "C" NOT NULL, -- of the client
    failures bigint NOT NULL,
    last     timestamptz NOT NULL,
    PRIMARY KEY (username, address)
);
CREATE INDEX sign_in_failures_last_idx ON sign_in_failures (last);

CREATE TABLE roles (
    uuid        uuid NOT NULL PRIMARY KEY,
    name        text COLLATE "C" NOT NULL,
    scope       text COLLATE "C" NOT NULL,
    description text COLLATE "C" NOT NULL,
    is_active   boolean NOT NULL,
    name_key    bytea NOT NULL, -- the collation key, filled in Go
    CONSTRAINT roles_name_key UNIQUE (name),
    CONSTRAINT roles_scope_check CHECK (scope IN ('customer', 'call_managing_organisation'))
);

CREATE TABLE role_permissions (
    role_uuid  uuid NOT NULL REFERENCES roles (uuid) ON DELETE CASCADE,
    permission text COLLATE "C" NOT NULL,
    PRIMARY KEY (role_uuid, permission)
);

CREATE TABLE call_managing_organisations (
    uuid            uuid NOT NULL PRIMARY KEY,
    customer_uuid   uuid NOT NULL REFERENCES customers (uuid),
    description     text COLLATE "C" NOT NULL,
    image_uuid      uuid REFERENCES images (uuid),
    created         timestamptz NOT NULL,
    -- Copies of the customer's name_key and search, which the code that writes the customer keeps
    -- in step: one index gives a page of the list in order, and a search reads no other table.
    customer_key    bytea NOT NULL,
    customer_search text COLLATE "C" NOT NULL,
    CONSTRAINT call_managing_organisations_customer_uuid_key UNIQUE (customer_uuid),
    CONSTRAINT call_managing_organisations_description_check CHECK (length(description) <= 4096)
);
CREATE INDEX call_managing_organisations_customer_key_idx ON call_managing_organisations (customer_key, uuid);
CREATE INDEX call_managing_organisations_customer_search_idx ON call_managing_organisations USING gin (customer_search gin_trgm_ops);

-- A role that a user holds. Each kind of scope has a column, of which exactly one is set; a
-- new kind adds its column, its part of the check and its unique index.
CREATE TABLE user_roles (
    uuid              uuid NOT NULL PRIMARY KEY,
    user_uuid         uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    role_uuid         uuid NOT NULL REFERENCES roles (uuid),
    customer_uuid     uuid REFERENCES customers (uuid) ON DELETE CASCADE,
    organisation_uuid uuid REFERENCES call_managing_organisations (uuid) ON DELETE CASCADE,
    created           timestamptz NOT NULL,
    created_by_uuid   uuid REFERENCES users (uuid) ON DELETE SET NULL,
    expiration_time   timestamptz,
    revoked           timestamptz,
    CONSTRAINT user_roles_scope_check CHECK ((customer_uuid IS NULL) <> (organisation_uuid IS NULL))
);
CREATE UNIQUE INDEX user_roles_customer_uuid_user_uuid_role_uuid_key ON user_roles (customer_uuid, user_uuid, role_uuid)
    WHERE revoked IS NULL AND customer_uuid IS NOT NULL;
CREATE UNIQUE INDEX user_roles_organisation_uuid_user_uuid_role_uuid_key ON user_roles (organisation_uuid, user_uuid, role_uuid)
    WHERE revoked IS NULL AND organisation_uuid IS NOT NULL;
-- Who holds roles on a customer or on an organisation, oldest grant first, is counted from these indexes alone.
CREATE INDEX user_roles_customer_uuid_created_idx
    ON user_roles (customer_uuid, created, uuid, user_uuid, expiration_time)
    WHERE revoked IS NULL AND customer_uuid IS NOT NULL;
CREATE INDEX user_roles_organisation_uuid_created_idx
    ON user_roles (organisation_uuid, created, uuid, user_uuid, expiration_time)
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
    uuid              uuid NOT NULL PRIMARY KEY,
    organisation_uuid uuid NOT NULL REFERENCES call_managing_organisations (uuid),
    name              text COLLATE "C" NOT NULL,
    slug              text COLLATE "C" NOT NULL,
    description       text COLLATE "C" NOT NULL,
    state             text COLLATE "C" NOT NULL,
    created           timestamptz NOT NULL,
    CONSTRAINT calls_state_check CHECK (state IN ('draft', 'active', 'archived'))
);
CREATE INDEX calls_organisation_uuid_state_idx ON calls (organisation_uuid, state);

CREATE TABLE rounds (
    uuid        uuid NOT NULL PRIMARY KEY,
    call_uuid   uuid NOT NULL REFERENCES calls (uuid),
    name        text COLLATE "C" NOT NULL,
    start_time  timestamptz NOT NULL,
    cutoff_time timestamptz NOT NULL,
    CONSTRAINT rounds_cutoff_time_check CHECK (cutoff_time > start_time)
);
CREATE INDEX rounds_call_uuid_cutoff_time_idx ON rounds (call_uuid, cutoff_time);

CREATE TABLE proposals (
    uuid       uuid NOT NULL PRIMARY KEY,
    round_uuid uuid NOT NULL REFERENCES rounds (uuid),
    name       text COLLATE "C" NOT NULL,
    state      text COLLATE "C" NOT NULL,
    CONSTRAINT proposals_state_check CHECK (state IN ('draft', 'team_verification', 'submitted', 'in_review', 'accepted', 'rejected', 'canceled'))
);
CREATE INDEX proposals_round_uuid_state_idx ON proposals (round_uuid, state);

CREATE TABLE reviews (
    uuid          uuid NOT NULL PRIMARY KEY,
    proposal_uuid uuid NOT NULL REFERENCES proposals (uuid),
    reviewer_uuid uuid NOT NULL REFERENCES users (uuid),
    state         text COLLATE "C" NOT NULL,
    CONSTRAINT reviews_state_check CHECK (state IN ('created', 'in_review', 'submitted', 'rejected'))
);
CREATE INDEX reviews_proposal_uuid_state_idx ON reviews (proposal_uuid, state);

CREATE TABLE requested_offerings (
    uuid      uuid NOT NULL PRIMARY KEY,
    call_uuid uuid NOT NULL REFERENCES calls (uuid),
    offering  text COLLATE "C" NOT NULL,
    state     text COLLATE "C" NOT NULL,
    CONSTRAINT requested_offerings_state_check CHECK (state IN ('requested', 'accepted', 'canceled'))
);
CREATE INDEX requested_offerings_call_uuid_state_idx ON requested_offerings (call_uuid, state);

-- Who did what, when, on what, from which request. No foreign keys: an event outlives
-- what it speaks of.
CREATE TABLE audit_events (
    uuid              uuid NOT NULL PRIMARY KEY,
    created           timestamptz NOT NULL,
    actor_uuid        uuid,
    request_id        text COLLATE "C" NOT NULL,
    action            text COLLATE "C" NOT NULL,
    object_type       text COLLATE "C" NOT NULL,
    object_uuid       text COLLATE "C" NOT NULL,
    -- What the object is about, such as whose role on what organisation.
    user_uuid         uuid,
    role_uuid         uuid,
    customer_uuid     uuid,
    organisation_uuid uuid,
    details           text COLLATE "C" NOT NULL
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
    name  text COLLATE "C" NOT NULL PRIMARY KEY,
    value text COLLATE "C" NOT NULL
);

-- Totals that would cost a scan; triggers keep them.
CREATE TABLE counters (
    name  text COLLATE "C" NOT NULL PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO counters (name, value) VALUES ('call_managing_organisations', 0), ('customers', 0), ('users', 0);

-- One statement of any size costs one update, or an import would crawl.
-- +goose StatementBegin
CREATE FUNCTION count_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE counters SET value = value + (SELECT count(*) FROM changed) WHERE name = TG_TABLE_NAME;
    ELSE
        UPDATE counters SET value = value - (SELECT count(*) FROM changed) WHERE name = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER call_managing_organisations_inserted AFTER INSERT ON call_managing_organisations
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_rows();
CREATE TRIGGER call_managing_organisations_deleted AFTER DELETE ON call_managing_organisations
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_rows();
CREATE TRIGGER customers_inserted AFTER INSERT ON customers
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_rows();
CREATE TRIGGER customers_deleted AFTER DELETE ON customers
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_rows();
CREATE TRIGGER users_inserted AFTER INSERT ON users
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_rows();
CREATE TRIGGER users_deleted AFTER DELETE ON users
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_rows();

-- The built-in roles, the same in every database. name_key is the collation key of the name.
INSERT INTO roles (uuid, name, scope, description, is_active, name_key) VALUES
    ('00000000-0000-4000-8000-000000000001', 'CUSTOMER.OWNER', 'customer', 'Organization owner', true,
     '\x161d183617f3181617711741164c17bd017217711871174f164c17bd00000000ffff08ffff08ffff08ffff08ffff08ffff08ffff08ffff08fffe08ffff08ffff08ffff08ffff08'),
    ('00000000-0000-4000-8000-000000000002', 'CUSTOMER.MANAGER', 'customer', 'Organization manager', true,
     '\x161d183617f3181617711741164c17bd0172174115ef174f15ef1691164c17bd00000000ffff08ffff08ffff08ffff08ffff08ffff08ffff08ffff08fffe08ffff08ffff08ffff08ffff08ffff08ffff08'),
    ('00000000-0000-4000-8000-000000000003', 'CUSTOMER.SUPPORT', 'customer', 'Organization support', false,
     '\x161d183617f3181617711741164c17bd017217f3183617961796177117bd181600000000ffff08ffff08ffff08ffff08ffff08ffff08ffff08ffff08fffe08ffff08ffff08ffff08ffff08ffff08ffff08'),
    ('00000000-0000-4000-8000-000000000004', 'CUSTOMER.CALL_ORGANIZER', 'call_managing_organisation', 'Organization call organizer', true,
     '\x161d183617f3181617711741164c17bd0172161d15ef17111711010b177117bd169115ef174f16cd1895164c17bd00000000ffff08ffff08ffff08ffff08ffff08ffff08ffff08ffff08fffe08ffff08ffff08ffff08fffe08ffff08ffff08ffff08ffff08ffff08ffff08ffff08ffff08');
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
-- A migration takes as long as it takes, but waits for locks no longer than this: requests wait behind it.
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = '2s';

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
DROP FUNCTION count_rows();
