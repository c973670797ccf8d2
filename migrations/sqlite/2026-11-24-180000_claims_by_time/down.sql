DROP INDEX claims_resource;
CREATE INDEX claims_resource ON claims (site_id, resource_id, ends_at) WHERE resource_id IS NOT NULL;
UPDATE sqlite_stat1 SET stat = '400000 40000 2000 1' WHERE idx = 'claims_resource';
