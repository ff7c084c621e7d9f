-- Expected: ok = t, out_of_step = 0.
SELECT count(*) = 0 AS ok, count(*) AS out_of_step
FROM posts
WHERE created IS DISTINCT FROM created_at;
