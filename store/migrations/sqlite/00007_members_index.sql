-- +goose Up
-- With revoked in it the members of an organisation are counted out of this index alone: that the
-- index holds no revoked grant is not enough for SQLite.
DROP INDEX user_roles_organisation_uuid_created_idx;
CREATE INDEX user_roles_organisation_uuid_created_idx ON user_roles (organisation_uuid, created, uuid, user_uuid, expiration_time, revoked)
    WHERE revoked IS NULL AND organisation_uuid IS NOT NULL;

-- +goose Down
DROP INDEX user_roles_organisation_uuid_created_idx;
CREATE INDEX user_roles_organisation_uuid_created_idx ON user_roles (organisation_uuid, created, uuid, user_uuid, expiration_time)
    WHERE revoked IS NULL AND organisation_uuid IS NOT NULL;
