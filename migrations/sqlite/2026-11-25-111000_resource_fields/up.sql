-- What tells resources apart when one is chosen, and what they tell of themselves.
ALTER TABLE resources ADD COLUMN ranking integer NOT NULL DEFAULT 0;
ALTER TABLE resources ADD COLUMN bookable integer NOT NULL DEFAULT 1;
ALTER TABLE resources ADD COLUMN details text NOT NULL DEFAULT '{}';
