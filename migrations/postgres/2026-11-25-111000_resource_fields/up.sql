-- What tells resources apart when one is chosen, and what they tell of themselves.
ALTER TABLE resources ADD COLUMN ranking integer NOT NULL DEFAULT 0;
ALTER TABLE resources ADD COLUMN bookable boolean NOT NULL DEFAULT true;
ALTER TABLE resources ADD COLUMN details jsonb NOT NULL DEFAULT '{}';
