DELETE FROM blocked_times WHERE resource_id IS NULL;
DROP INDEX blocked_times_closing;
ALTER TABLE blocked_times DROP COLUMN overlap_reason;
ALTER TABLE blocked_times DROP COLUMN location_id;
ALTER TABLE blocked_times ALTER COLUMN resource_id SET NOT NULL;
