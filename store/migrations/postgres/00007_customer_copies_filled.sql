-- +goose Up
-- A step of its own: the one before keeps readers off the table, and should be short.
LOCK TABLE customers IN ROW SHARE MODE; -- before any organisation's row, as an import does
UPDATE call_managing_organisations SET customer_uuid = customer_uuid;

-- +goose Down
