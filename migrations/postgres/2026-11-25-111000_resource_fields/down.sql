ALTER TABLE resources DROP COLUMN details;
ALTER TABLE resources DROP COLUMN bookable;
ALTER TABLE resources DROP COLUMN ranking;
