-- +goose Up
-- What customer_keyword looks through, in the list's order: a search scans this alone and reads
-- no rows but those of its page.
CREATE INDEX call_managing_organisations_customer_search_idx ON call_managing_organisations (customer_key, uuid, customer_search);

-- +goose Down
DROP INDEX call_managing_organisations_customer_search_idx;
