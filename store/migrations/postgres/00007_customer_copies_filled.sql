-- +goose Up
-- A step of its own: the one before keeps readers off the table, and should be short.
UPDATE call_managing_organisations SET customer_uuid = customer_uuid;

-- +goose Down
