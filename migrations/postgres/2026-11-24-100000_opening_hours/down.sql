ALTER TABLE services DROP COLUMN slot_step_minutes;
DROP TABLE opening_hours;
