\set ON_ERROR_STOP on
BEGIN;

-- Reading a table may take longer than any query of the application.
SET LOCAL statement_timeout = 0;

-- Reads the table with writers at work.
ALTER TABLE order_lines VALIDATE CONSTRAINT order_lines_order_id_fkey_new;

COMMIT;
