-- What resources are: staff, rooms and equipment, which every site has, and what else a business makes up. Few of them:
-- a site's are read at once. The ids of the three are the site's own with another last byte. Deleted ones stay, for
-- deleted resources refer to them.
CREATE TABLE resource_types (
    site_id blob NOT NULL REFERENCES sites (id),
    id blob NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    deleted_at integer,
    PRIMARY KEY (site_id, id)
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX resource_types_name ON resource_types (site_id, name_key) WHERE deleted_at IS NULL;

INSERT INTO resource_types (site_id, id, name, name_key, revision, created_at, updated_at)
SELECT sites.id, CAST(substr(sites.id, 1, 15) || built_in.mark AS blob), built_in.name, lower(built_in.name), 1,
    sites.created_at, sites.created_at
FROM sites, (
    SELECT x'01' AS mark, 'Staff' AS name UNION ALL SELECT x'02', 'Room' UNION ALL SELECT x'03', 'Equipment'
) AS built_in;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('resource_types', 'resource_types', '100 10 1'),
    ('resource_types', 'resource_types_name', '100 10 1');
