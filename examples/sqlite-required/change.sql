ALTER TABLE authors ADD COLUMN sort_name TEXT NOT NULL;
UPDATE authors SET sort_name = lower(trim(name));
