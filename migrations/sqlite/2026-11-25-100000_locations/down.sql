ALTER TABLE services ADD COLUMN location text;
-- Of several the first stays, in the words that it had.
UPDATE services SET location = json_remove(json_extract(locations, '$[0]'), '$.id') WHERE json_array_length(locations) > 0;
ALTER TABLE services DROP COLUMN locations;
ALTER TABLE resources DROP COLUMN location_ids;
DROP TABLE business_locations;
