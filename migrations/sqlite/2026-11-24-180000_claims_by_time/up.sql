-- When a claim begins stands in the index, too: a question about a day doesn't look at the rows of all that comes later.
DROP INDEX claims_resource;
CREATE INDEX claims_resource ON claims (site_id, resource_id, ends_at, starts_at) WHERE resource_id IS NOT NULL;
UPDATE sqlite_stat1 SET stat = '400000 40000 2000 1 1' WHERE idx = 'claims_resource';
