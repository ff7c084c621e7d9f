ALTER TABLE posts RENAME COLUMN created TO created_at;
