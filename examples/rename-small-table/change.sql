ALTER TABLE countries RENAME COLUMN title TO name;
