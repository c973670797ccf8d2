-- What resources are: staff, rooms and equipment, which every site has, and what else a business makes up. Few of them:
-- a site's are read at once. The ids of the three are the site's own with another last byte. Deleted ones stay, for
-- deleted resources refer to them.
CREATE TABLE resource_types (
    site_id uuid NOT NULL REFERENCES sites (id),
    id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    name_key text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX resource_types_name ON resource_types (site_id, name_key) WHERE deleted_at IS NULL;

INSERT INTO resource_types (site_id, id, name, name_key, revision, created_at, updated_at)
SELECT sites.id, (left(sites.id::text, 34) || built_in.mark)::uuid, built_in.name, lower(built_in.name), 1,
    sites.created_at, sites.created_at
FROM sites, (VALUES ('01', 'Staff'), ('02', 'Room'), ('03', 'Equipment')) AS built_in (mark, name);
