DELETE FROM sqlite_stat1 WHERE tbl = 'calendar_changes';
DROP TABLE calendar_changes;
ALTER TABLE events DROP COLUMN touched;
