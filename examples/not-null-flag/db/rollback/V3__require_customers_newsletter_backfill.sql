\set ON_ERROR_STOP on
-- Loses which rows had no newsletter: they keep what they got.
SET lock_timeout = 0;
SET statement_timeout = 0;

-- Flyway Community has no undo: so that V3 can run again.
DELETE FROM flyway_schema_history WHERE version = '3';
