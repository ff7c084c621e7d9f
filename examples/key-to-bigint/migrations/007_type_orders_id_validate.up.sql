\set ON_ERROR_STOP on
BEGIN;

-- Waiting and reading may take longer than the application's queries may.
SET LOCAL lock_timeout = 0;
SET LOCAL statement_timeout = 0;

-- Reads the table with writers at work.
ALTER TABLE order_lines VALIDATE CONSTRAINT order_lines_order_id_fkey_new;

COMMIT;
