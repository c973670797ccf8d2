-- A blocked time that is shown on the calendar and blocks nothing.
ALTER TABLE blocked_times ADD COLUMN transparent boolean NOT NULL DEFAULT false;
