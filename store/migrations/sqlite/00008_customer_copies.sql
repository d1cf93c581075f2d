-- +goose Up
-- What an organisation shows of its customer, and what it is found and ordered by, lies in its own
-- row: nothing else is read for it. Triggers keep it in step. The copy of the image needs no foreign
-- key, since the customer's has one.
-- The two that are there are made anew, since a column can't be given a default.
DROP INDEX call_managing_organisations_customer_key_idx;
DROP INDEX call_managing_organisations_customer_search_idx;
ALTER TABLE call_managing_organisations DROP COLUMN customer_key;
ALTER TABLE call_managing_organisations DROP COLUMN customer_search;
ALTER TABLE call_managing_organisations ADD COLUMN customer_key text NOT NULL DEFAULT '';
ALTER TABLE call_managing_organisations ADD COLUMN customer_search text NOT NULL DEFAULT '';
ALTER TABLE call_managing_organisations ADD COLUMN customer_name text NOT NULL DEFAULT '';
ALTER TABLE call_managing_organisations ADD COLUMN customer_abbreviation text NOT NULL DEFAULT '';
ALTER TABLE call_managing_organisations ADD COLUMN customer_native_name text NOT NULL DEFAULT '';
ALTER TABLE call_managing_organisations ADD COLUMN customer_country text NOT NULL DEFAULT '';
ALTER TABLE call_managing_organisations ADD COLUMN customer_image_uuid text;
ALTER TABLE call_managing_organisations ADD COLUMN customer_blocked boolean NOT NULL DEFAULT false;
ALTER TABLE call_managing_organisations ADD COLUMN customer_archived boolean NOT NULL DEFAULT false;

-- Setting customer_uuid, to what it is too, copies the customer.
-- +goose StatementBegin
CREATE TRIGGER call_managing_organisations_customer_updated AFTER UPDATE OF customer_uuid ON call_managing_organisations
WHEN EXISTS (SELECT 1 FROM customers WHERE uuid = NEW.customer_uuid) -- the foreign key refuses others
BEGIN
    UPDATE call_managing_organisations
    SET (customer_key, customer_search, customer_name, customer_abbreviation, customer_native_name, customer_country,
         customer_image_uuid, customer_blocked, customer_archived) =
        (SELECT name_key, search, name, abbreviation, native_name, country, image_uuid, blocked, archived
         FROM customers WHERE uuid = NEW.customer_uuid)
    WHERE uuid = NEW.uuid;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER call_managing_organisations_customer_inserted AFTER INSERT ON call_managing_organisations
BEGIN
    UPDATE call_managing_organisations SET customer_uuid = NEW.customer_uuid WHERE uuid = NEW.uuid;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER customers_updated AFTER UPDATE ON customers
BEGIN
    UPDATE call_managing_organisations SET customer_uuid = NEW.uuid WHERE customer_uuid = NEW.uuid;
END;
-- +goose StatementEnd

UPDATE call_managing_organisations SET customer_uuid = customer_uuid;
CREATE INDEX call_managing_organisations_customer_key_idx ON call_managing_organisations (customer_key, uuid);
CREATE INDEX call_managing_organisations_customer_search_idx ON call_managing_organisations (customer_key, uuid, customer_search);

-- +goose Down
-- The keys keep their default, which does no harm.
DROP TRIGGER customers_updated;
DROP TRIGGER call_managing_organisations_customer_inserted;
DROP TRIGGER call_managing_organisations_customer_updated;
ALTER TABLE call_managing_organisations DROP COLUMN customer_archived;
ALTER TABLE call_managing_organisations DROP COLUMN customer_blocked;
ALTER TABLE call_managing_organisations DROP COLUMN customer_image_uuid;
ALTER TABLE call_managing_organisations DROP COLUMN customer_country;
ALTER TABLE call_managing_organisations DROP COLUMN customer_native_name;
ALTER TABLE call_managing_organisations DROP COLUMN customer_abbreviation;
ALTER TABLE call_managing_organisations DROP COLUMN customer_name;
