-- +goose Up
-- What customer_keyword looks through is part of the index of the list's order: a search reads
-- that alone, and finds what it looks for in order.
DROP INDEX call_managing_organisations_customer_key_idx;
CREATE INDEX call_managing_organisations_customer_key_idx ON call_managing_organisations (customer_key, uuid, customer_search);

-- +goose Down
DROP INDEX call_managing_organisations_customer_key_idx;
CREATE INDEX call_managing_organisations_customer_key_idx ON call_managing_organisations (customer_key, uuid);
