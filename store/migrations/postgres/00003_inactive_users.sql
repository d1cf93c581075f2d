-- +goose Up
-- The few inactive users, whose roles don't count.
CREATE INDEX users_inactive_uuid_idx ON users (uuid) WHERE NOT is_active;

-- +goose Down
DROP INDEX users_inactive_uuid_idx;
