.timeout 30000
-- Nothing to undo: the values go with their column.
