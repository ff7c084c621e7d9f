.timeout 30000
BEGIN IMMEDIATE;

DROP TRIGGER authors_sort_name_sync_insert;
DROP TRIGGER authors_sort_name_sync_update;
ALTER TABLE authors DROP COLUMN sort_name;

COMMIT;
