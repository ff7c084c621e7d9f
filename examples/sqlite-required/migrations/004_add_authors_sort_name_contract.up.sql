.timeout 30000
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;

-- Fails with the name of the CHECK that does not hold.
CREATE TEMP TABLE miggen_guard (
    ok_1 NOT NULL CONSTRAINT "authors_sort_name_sync is missing: finish deploy 1 on this database first" CHECK (ok_1),
    ok_2 NOT NULL CONSTRAINT "rows of authors are not filled: run the backfill again" CHECK (ok_2)
);

INSERT INTO miggen_guard SELECT
    (
        SELECT count(*) FROM sqlite_master
        WHERE type = 'trigger' AND name IN ('authors_sort_name_sync_insert', 'authors_sort_name_sync_update')
    ) = 2,
    NOT EXISTS (
        SELECT 1 FROM authors
        WHERE sort_name IS NULL
    );

DROP TABLE miggen_guard;
DROP TRIGGER authors_sort_name_sync_insert;
DROP TRIGGER authors_sort_name_sync_update;

CREATE TABLE authors_new (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    sort_name TEXT NOT NULL
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

COMMIT;
PRAGMA foreign_keys = ON;
