UPDATE customers SET newsletter = false WHERE newsletter IS NULL;

ALTER TABLE customers
    ALTER COLUMN newsletter SET NOT NULL,
    ALTER COLUMN newsletter SET DEFAULT false;
