ALTER TABLE users
    ADD COLUMN first_name varchar(255),
    ADD COLUMN last_name varchar(255);

UPDATE users
SET first_name = split_part(btrim(full_name), ' ', 1),
    last_name = nullif(btrim(substr(btrim(full_name),
        length(split_part(btrim(full_name), ' ', 1)) + 2)), '');

CREATE INDEX idx_users_last_name ON users (last_name);

-- miggen: back full_name = nullif(concat_ws(' ', first_name, last_name), '')
ALTER TABLE users DROP COLUMN full_name;
