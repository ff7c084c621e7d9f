.timeout 30000
BEGIN IMMEDIATE;

ALTER TABLE authors ADD COLUMN sort_name TEXT;

CREATE TRIGGER authors_sort_name_sync_insert AFTER INSERT ON authors
FOR EACH ROW WHEN NEW.sort_name IS NULL
BEGIN
    UPDATE authors
    SET sort_name = lower(trim(name))
    WHERE rowid = NEW.rowid;
END;

CREATE TRIGGER authors_sort_name_sync_update AFTER UPDATE ON authors
FOR EACH ROW WHEN NEW.sort_name IS OLD.sort_name AND (NEW.sort_name IS NULL OR NEW.name IS NOT OLD.name)
BEGIN
    UPDATE authors
    SET sort_name = lower(trim(name))
    WHERE rowid = NEW.rowid;
END;

-- A trigger's body is checked when it first runs: let that be here, on one row.
UPDATE authors SET sort_name = sort_name
WHERE id = (SELECT id FROM authors ORDER BY id LIMIT 1);

COMMIT;
