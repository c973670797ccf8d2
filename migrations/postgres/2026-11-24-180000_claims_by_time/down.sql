DROP INDEX claims_resource;
CREATE INDEX claims_resource ON claims (site_id, resource_id, ends_at) WHERE resource_id IS NOT NULL;
