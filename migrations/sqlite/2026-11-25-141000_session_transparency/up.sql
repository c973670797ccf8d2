-- A session that is shown and offered, and keeps none of its resources busy.
ALTER TABLE sessions ADD COLUMN transparent integer NOT NULL DEFAULT 0;
