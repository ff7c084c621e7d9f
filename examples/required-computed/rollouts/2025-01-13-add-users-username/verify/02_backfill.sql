-- Expected: ok = t, rows_left = 0.
SELECT count(*) = 0 AS ok, count(*) AS rows_left
FROM users
WHERE username IS NULL;
