CREATE TABLE users (id bigint PRIMARY KEY, email varchar(255) NOT NULL UNIQUE, name text, age integer DEFAULT 7 CHECK (age > 0), created timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE posts (id integer PRIMARY KEY, author_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE, title text NOT NULL, "Order" numeric(12, 2), CONSTRAINT posts_title_check CHECK (title <> 'it''s'));
CREATE TABLE notes (body text);
CREATE INDEX posts_title_idx ON posts (title);
CREATE UNIQUE INDEX users_name_idx ON users (lower(name)) WHERE name IS NOT NULL;
CREATE VIEW titles AS SELECT title FROM posts;
