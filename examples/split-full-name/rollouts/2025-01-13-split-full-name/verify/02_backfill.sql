-- Expected: ok = t, rows_left = 0.
SELECT count(*) = 0 AS ok, count(*) AS rows_left
FROM users
WHERE first_name IS NULL AND last_name IS NULL AND (
    split_part(btrim(full_name), ' ', 1) IS NOT NULL
    OR nullif(btrim(substr(btrim(full_name),
        length(split_part(btrim(full_name), ' ', 1)) + 2)), '') IS NOT NULL
);
