ALTER TABLE services ADD COLUMN location jsonb;
-- Of several the first stays, in the words that it had.
UPDATE services SET location = (locations -> 0) - 'id' WHERE jsonb_array_length(locations) > 0;
ALTER TABLE services DROP COLUMN locations;
ALTER TABLE resources DROP COLUMN location_ids;
DROP TABLE business_locations;
