-- A blocked time without a resource closes the business, or one of its locations. What it stands over is on record in it.
ALTER TABLE blocked_times ALTER COLUMN resource_id DROP NOT NULL;
ALTER TABLE blocked_times ADD COLUMN location_id uuid;
ALTER TABLE blocked_times ADD COLUMN overlap_reason text COLLATE "C";
ALTER TABLE blocked_times ADD FOREIGN KEY (site_id, location_id) REFERENCES business_locations (site_id, id);
ALTER TABLE blocked_times ADD CHECK (resource_id IS NULL OR (location_id IS NULL AND overlap_reason IS NULL));
CREATE INDEX blocked_times_closing ON blocked_times (site_id, ends_at) WHERE resource_id IS NULL;
