-- Locations of the business: what services, resources and hours refer to. One of a site may be the default.
CREATE TABLE business_locations (
    site_id uuid NOT NULL REFERENCES sites (id),
    id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    is_default boolean NOT NULL,
    details jsonb NOT NULL,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX business_locations_default ON business_locations (site_id) WHERE is_default;
CREATE INDEX business_locations_created ON business_locations (site_id, created_at, id);

-- The only locations at which a resource serves; null: everywhere.
ALTER TABLE resources ADD COLUMN location_ids jsonb;

-- Where a service is given, in order. It had one place, or none, in words; a place that is not the business's gets an
-- id: the service's own will do.
ALTER TABLE services ADD COLUMN locations jsonb NOT NULL DEFAULT '[]';
UPDATE services SET locations = jsonb_build_array(
    CASE location ->> 'location_type'
        WHEN 'OWNER_BUSINESS' THEN location
        ELSE jsonb_set(location, '{id}', to_jsonb(id::text))
    END
) WHERE location IS NOT NULL;
ALTER TABLE services DROP COLUMN location;
