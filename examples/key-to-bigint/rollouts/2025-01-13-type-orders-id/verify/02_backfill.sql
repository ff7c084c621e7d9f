-- Expected: ok = t, rows_left = 0.
SELECT count(*) = 0 AS ok, count(*) AS rows_left
FROM orders
WHERE id_new IS NULL;
