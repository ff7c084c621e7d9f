\set ON_ERROR_STOP on
SET lock_timeout = 0;
SET statement_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS orders_pkey_new;
