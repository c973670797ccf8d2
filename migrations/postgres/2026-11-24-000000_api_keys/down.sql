DROP INDEX sites_created;
DROP TABLE api_keys;
