-- A session that is shown and offered, and keeps none of its resources busy.
ALTER TABLE sessions ADD COLUMN transparent boolean NOT NULL DEFAULT false;
