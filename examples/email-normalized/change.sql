ALTER TABLE users ADD COLUMN email_normalized text NOT NULL UNIQUE;
UPDATE users SET email_normalized = lower(trim(email));
