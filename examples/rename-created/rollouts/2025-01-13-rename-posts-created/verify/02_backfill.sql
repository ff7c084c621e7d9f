-- Expected: ok = t, rows_left = 0.
SELECT count(*) = 0 AS ok, count(*) AS rows_left
FROM posts
WHERE created_at IS NULL;
