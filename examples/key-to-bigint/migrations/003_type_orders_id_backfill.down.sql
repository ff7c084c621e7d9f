\set ON_ERROR_STOP on
-- Nothing to undo: the values go with their column.
