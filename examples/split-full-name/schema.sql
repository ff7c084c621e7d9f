CREATE TABLE users (
    id bigserial PRIMARY KEY,
    email varchar(255) NOT NULL UNIQUE,
    full_name varchar(255),
    created_at timestamptz NOT NULL DEFAULT now()
);
