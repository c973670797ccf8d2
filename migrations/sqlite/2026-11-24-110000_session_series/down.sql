ALTER TABLE sessions DROP COLUMN overrides;
DROP TABLE session_series;
