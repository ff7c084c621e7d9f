-- Expected: ok = 1, rows_left = 0.
SELECT count(*) = 0 AS ok, count(*) AS rows_left
FROM authors
WHERE sort_name IS NULL;
