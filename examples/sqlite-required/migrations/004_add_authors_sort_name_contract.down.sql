.timeout 30000
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;

-- Loses nothing: the trigger fills the column for old code again.
CREATE TABLE authors_new (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    sort_name TEXT
);

-- Fails with the name of the CHECK that does not hold.
CREATE TEMP TABLE miggen_guard (
    ok_1 NOT NULL CONSTRAINT "foreign keys are on: dropping the old table would delete its children" CHECK (ok_1),
    ok_2 NOT NULL CONSTRAINT "authors has other columns, indexes or triggers than this was planned for: plan it again" CHECK (ok_2)
);

INSERT INTO miggen_guard SELECT
    (SELECT foreign_keys = 0 FROM pragma_foreign_keys),
    (
        SELECT count(*) = 3 AND sum(lower(name) IN ('id', 'name', 'sort_name')) = 3
        FROM pragma_table_xinfo('authors')
    ) AND NOT EXISTS (
        SELECT 1 FROM sqlite_master
        WHERE lower(tbl_name) = 'authors' AND sql IS NOT NULL AND type IN ('index', 'trigger')
    );

DROP TABLE miggen_guard;

INSERT INTO authors_new (id, name, sort_name)
SELECT id, name, sort_name
FROM authors;

CREATE TEMP TABLE miggen_guard (ok NOT NULL CONSTRAINT "rows got lost on the way" CHECK (ok));
INSERT INTO miggen_guard SELECT (SELECT count(*) FROM authors) = (SELECT count(*) FROM authors_new);
DROP TABLE miggen_guard;
DROP TABLE authors;
ALTER TABLE authors_new RENAME TO authors;
CREATE TEMP TABLE miggen_guard (ok NOT NULL CONSTRAINT "a foreign key does not hold" CHECK (ok));
INSERT INTO miggen_guard SELECT NOT EXISTS (SELECT 1 FROM pragma_foreign_key_check);
DROP TABLE miggen_guard;

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

COMMIT;
PRAGMA foreign_keys = ON;
