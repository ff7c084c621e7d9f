CREATE TABLE countries (
    code char(2) PRIMARY KEY,
    title text NOT NULL
);
CREATE UNIQUE INDEX countries_title_idx ON countries (title);
