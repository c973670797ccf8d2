-- A blocked time that is shown on the calendar and blocks nothing.
ALTER TABLE blocked_times ADD COLUMN transparent integer NOT NULL DEFAULT 0;
