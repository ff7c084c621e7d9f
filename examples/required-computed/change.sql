ALTER TABLE users ADD COLUMN username text NOT NULL;
UPDATE users SET username = split_part(email, '@', 1);
