CREATE TABLE posts (
    id bigserial PRIMARY KEY,
    title text NOT NULL,
    created timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX posts_created_idx ON posts (created);
