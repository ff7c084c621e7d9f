-- Expected: ok = t, out_of_step = 0.
SELECT count(*) = 0 AS ok, count(*) AS out_of_step
FROM users
WHERE (
    first_name IS DISTINCT FROM split_part(btrim(full_name), ' ', 1)
    OR last_name IS DISTINCT FROM nullif(btrim(substr(btrim(full_name),
        length(split_part(btrim(full_name), ' ', 1)) + 2)), '')
) AND full_name IS DISTINCT FROM left(nullif(concat_ws(' ', first_name, last_name), '')::text, 255);
