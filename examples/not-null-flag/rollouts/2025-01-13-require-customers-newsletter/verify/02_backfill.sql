-- Expected: ok = t, rows_left = 0.
SELECT count(*) = 0 AS ok, count(*) AS rows_left
FROM customers
WHERE newsletter IS NULL;
