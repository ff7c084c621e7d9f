.timeout 30000
BEGIN IMMEDIATE;

-- Fills sort_name; a second run finds nothing to do.
UPDATE authors
SET sort_name = lower(trim(name))
WHERE sort_name IS NULL;

COMMIT;
