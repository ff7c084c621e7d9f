ALTER TABLE users ADD COLUMN first text, ADD COLUMN last text; UPDATE users SET first = substr(name, 1, 3), last = substr(name, 4); ALTER TABLE users DROP COLUMN name;
-- miggen: keep 30 days
ALTER TABLE users RENAME COLUMN created TO created_at;
ALTER TABLE posts ADD COLUMN slug text NOT NULL UNIQUE; UPDATE posts SET slug = lower(trim(title)) WHERE slug IS NULL;
ALTER TABLE users ADD COLUMN active boolean NOT NULL DEFAULT false; COMMENT ON COLUMN users.active IS 'may log in';
UPDATE users SET age = 1 WHERE age IS NULL; ALTER TABLE users ALTER COLUMN age SET NOT NULL, ALTER COLUMN age SET DEFAULT 1;
ALTER TABLE posts ALTER COLUMN "Order" TYPE numeric(14, 2) USING "Order"::numeric(14, 2);
CREATE TABLE tags (id integer PRIMARY KEY, post_id integer REFERENCES posts (id), label varchar(40) DEFAULT 'x'); CREATE INDEX tags_post_id_idx ON tags (post_id); INSERT INTO tags (id, label) VALUES (1, 'a'), (2, 'b;c');
CREATE UNIQUE INDEX posts_author_title_idx ON posts (author_id, title) WHERE title <> '';
ALTER TABLE posts ADD CONSTRAINT posts_order_check CHECK ("Order" >= 0), DROP CONSTRAINT posts_title_check;
ALTER TABLE posts RENAME TO articles;
DROP INDEX posts_title_idx; DROP TABLE notes;
DELETE FROM posts WHERE title = 'spam' OR author_id NOT IN (SELECT id FROM users);
INSERT INTO notes SELECT title FROM posts WHERE title LIKE '%x%';
-- miggen: back email = local || '@' || host
ALTER TABLE users ADD COLUMN local text, ADD COLUMN host text; UPDATE users SET local = split_part(email, '@', 1), host = split_part(email, '@', 2); ALTER TABLE users DROP COLUMN email;
ALTER TABLE users ALTER COLUMN name DROP NOT NULL; ALTER TABLE users ALTER COLUMN age DROP DEFAULT; ALTER TABLE posts DROP COLUMN title CASCADE;
UPDATE posts SET title = (SELECT u.name FROM users u WHERE u.id = author_id ORDER BY u.id LIMIT 1), "Order" = 1 WHERE author_id IN (SELECT id FROM users WHERE age > 1);
UPDATE posts AS p SET title = u.name || '%' FROM users u LEFT JOIN users b ON b.id = u.age WHERE u.id = p.author_id AND (u.age > 7 OR title = 'x');
DELETE FROM posts p USING users AS u WHERE u.id = p.author_id AND EXISTS (SELECT 1 FROM users x WHERE x.id = u.id); UPDATE users SET (name, age) = ('a', 1);
INSERT INTO posts (id, author_id, title) SELECT u.id, b.id, lower(b.name) FROM users u INNER JOIN users b ON b.id = u.id WHERE u.age IS NOT NULL;
