-- Locations of the business: what services, resources and hours refer to. One of a site may be the default.
CREATE TABLE business_locations (
    site_id blob NOT NULL REFERENCES sites (id),
    id blob NOT NULL,
    name text NOT NULL,
    is_default integer NOT NULL,
    details text NOT NULL,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    deleted_at integer,
    PRIMARY KEY (site_id, id)
) STRICT;
CREATE UNIQUE INDEX business_locations_default ON business_locations (site_id) WHERE is_default;
CREATE INDEX business_locations_created ON business_locations (site_id, created_at, id);

-- The only locations at which a resource serves; null: everywhere.
ALTER TABLE resources ADD COLUMN location_ids text;

-- Where a service is given, in order. It had one place, or none, in words; a place that is not the business's gets an
-- id: the service's own will do.
ALTER TABLE services ADD COLUMN locations text NOT NULL DEFAULT '[]';
UPDATE services SET locations = json_array(json(
    CASE json_extract(location, '$.location_type')
        WHEN 'OWNER_BUSINESS' THEN location
        ELSE json_set(location, '$.id', lower(
            substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4) || '-'
            || substr(hex(id), 17, 4) || '-' || substr(hex(id), 21)
        ))
    END
)) WHERE location IS NOT NULL;
ALTER TABLE services DROP COLUMN location;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('business_locations', 'sqlite_autoindex_business_locations_1', '100 10 1'),
    ('business_locations', 'business_locations_default', '10 1'),
    ('business_locations', 'business_locations_created', '100 10 1 1');
