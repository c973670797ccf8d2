DROP TABLE calendar_changes;
ALTER TABLE events DROP COLUMN touched;
