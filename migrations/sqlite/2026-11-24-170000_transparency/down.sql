ALTER TABLE blocked_times DROP COLUMN transparent;
