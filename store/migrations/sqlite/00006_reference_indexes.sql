-- +goose Up
-- What refers to an image or to an organisation is found when that is removed.
CREATE INDEX customers_image_uuid_idx ON customers (image_uuid) WHERE image_uuid IS NOT NULL;
CREATE INDEX users_image_uuid_idx ON users (image_uuid) WHERE image_uuid IS NOT NULL;
CREATE INDEX call_managing_organisations_image_uuid_idx ON call_managing_organisations (image_uuid) WHERE image_uuid IS NOT NULL;
CREATE INDEX user_roles_customer_uuid_idx ON user_roles (customer_uuid) WHERE customer_uuid IS NOT NULL;
CREATE INDEX user_roles_organisation_uuid_idx ON user_roles (organisation_uuid) WHERE organisation_uuid IS NOT NULL;

-- +goose Down
DROP INDEX user_roles_organisation_uuid_idx;
DROP INDEX user_roles_customer_uuid_idx;
DROP INDEX call_managing_organisations_image_uuid_idx;
DROP INDEX users_image_uuid_idx;
DROP INDEX customers_image_uuid_idx;
