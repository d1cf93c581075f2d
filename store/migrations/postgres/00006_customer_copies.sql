-- +goose Up
-- What an organisation shows of its customer, and what it is found and ordered by, lies in its own
-- row: nothing else is read for it. Triggers keep it in step, servers of an earlier version too. The
-- copy of the image needs no foreign key, since the customer's has one.

-- First what an import takes first, and a request that changes something too: a table that they
-- came to later would be waited for by all in a circle.
LOCK TABLE customers IN EXCLUSIVE MODE;
ALTER TABLE call_managing_organisations
    ALTER COLUMN customer_key SET DEFAULT '',
    ALTER COLUMN customer_search SET DEFAULT '',
    ADD COLUMN customer_name text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN customer_abbreviation text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN customer_native_name text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN customer_country text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN customer_image_uuid uuid,
    ADD COLUMN customer_blocked boolean NOT NULL DEFAULT false,
    ADD COLUMN customer_archived boolean NOT NULL DEFAULT false;

-- Setting customer_uuid, to what it is too, copies the customer.
-- +goose StatementBegin
CREATE FUNCTION copy_customer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    c record;
BEGIN
    -- Locked, or whoever changes it at the same time would not see the copy to come.
    SELECT * INTO c FROM customers WHERE uuid = NEW.customer_uuid FOR SHARE;
    IF FOUND THEN -- the foreign key refuses others
        NEW.customer_key := c.name_key;
        NEW.customer_search := c.search;
        NEW.customer_name := c.name;
        NEW.customer_abbreviation := c.abbreviation;
        NEW.customer_native_name := c.native_name;
        NEW.customer_country := c.country;
        NEW.customer_image_uuid := c.image_uuid;
        NEW.customer_blocked := c.blocked;
        NEW.customer_archived := c.archived;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER call_managing_organisations_customer_updated BEFORE UPDATE OF customer_uuid ON call_managing_organisations
    FOR EACH ROW EXECUTE FUNCTION copy_customer();
CREATE TRIGGER call_managing_organisations_customer_inserted BEFORE INSERT ON call_managing_organisations
    FOR EACH ROW EXECUTE FUNCTION copy_customer();
-- +goose StatementBegin
CREATE FUNCTION copy_updated_customers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE call_managing_organisations AS o SET customer_uuid = u.uuid FROM updated AS u WHERE o.customer_uuid = u.uuid;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER customers_updated AFTER UPDATE ON customers
    REFERENCING NEW TABLE AS updated FOR EACH STATEMENT EXECUTE FUNCTION copy_updated_customers();

-- +goose Down
DROP TRIGGER customers_updated ON customers;
DROP FUNCTION copy_updated_customers();
DROP TRIGGER call_managing_organisations_customer_inserted ON call_managing_organisations;
DROP TRIGGER call_managing_organisations_customer_updated ON call_managing_organisations;
DROP FUNCTION copy_customer();
ALTER TABLE call_managing_organisations
    ALTER COLUMN customer_key DROP DEFAULT,
    ALTER COLUMN customer_search DROP DEFAULT,
    DROP COLUMN customer_name,
    DROP COLUMN customer_abbreviation,
    DROP COLUMN customer_native_name,
    DROP COLUMN customer_country,
    DROP COLUMN customer_image_uuid,
    DROP COLUMN customer_blocked,
    DROP COLUMN customer_archived;
