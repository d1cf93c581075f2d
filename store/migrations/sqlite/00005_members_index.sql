-- +goose Up
-- Members are counted from this index; whether a grant is revoked is still read from its row.
DROP INDEX user_roles_organisation_uuid_created_idx;
CREATE INDEX user_roles_organisation_uuid_created_idx ON user_roles (organisation_uuid, created, uuid, user_uuid, expiration_time)
    WHERE revoked IS NULL AND organisation_uuid IS NOT NULL;

-- +goose Down
DROP INDEX user_roles_organisation_uuid_created_idx;
CREATE INDEX user_roles_organisation_uuid_created_idx ON user_roles (organisation_uuid, created, uuid)
    WHERE revoked IS NULL AND organisation_uuid IS NOT NULL;
