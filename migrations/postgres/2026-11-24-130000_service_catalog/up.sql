-- Groups of services. Few of them: a site's are read at once.
CREATE TABLE categories (
    site_id uuid NOT NULL REFERENCES sites (id),
    id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    sort_order integer NOT NULL,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, id)
);

-- Slugs that services had before: they still lead to them. The present one stands in `services`.
CREATE TABLE service_slugs (
    site_id uuid NOT NULL,
    slug text COLLATE "C" NOT NULL,
    service_id uuid NOT NULL,
    custom boolean NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, slug),
    FOREIGN KEY (site_id, service_id) REFERENCES services (site_id, id)
);
CREATE INDEX service_slugs_service ON service_slugs (site_id, service_id);

-- What lists look at has columns of its own; the rest of what a service tells about itself is one document.
ALTER TABLE services ADD COLUMN category_id uuid;
ALTER TABLE services ADD COLUMN hidden boolean NOT NULL DEFAULT false;
ALTER TABLE services ADD COLUMN sort_order integer NOT NULL DEFAULT 0;
ALTER TABLE services ADD COLUMN pay_deposit boolean NOT NULL DEFAULT false;
ALTER TABLE services ADD COLUMN pay_pricing_plan boolean NOT NULL DEFAULT false;
ALTER TABLE services ADD COLUMN details jsonb NOT NULL DEFAULT '{}';
CREATE INDEX services_category ON services (site_id, category_id);
