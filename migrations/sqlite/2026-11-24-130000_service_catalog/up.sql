-- Groups of services. Few of them: a site's are read at once.
CREATE TABLE categories (
    site_id blob NOT NULL REFERENCES sites (id),
    id blob NOT NULL,
    name text NOT NULL,
    sort_order integer NOT NULL,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    PRIMARY KEY (site_id, id)
) WITHOUT ROWID, STRICT;

-- Slugs that services had before: they still lead to them. The present one stands in `services`.
CREATE TABLE service_slugs (
    site_id blob NOT NULL,
    slug text NOT NULL,
    service_id blob NOT NULL,
    custom integer NOT NULL,
    created_at integer NOT NULL,
    PRIMARY KEY (site_id, slug),
    FOREIGN KEY (site_id, service_id) REFERENCES services (site_id, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX service_slugs_service ON service_slugs (site_id, service_id);

-- What lists look at has columns of its own; the rest of what a service tells about itself is one document.
ALTER TABLE services ADD COLUMN category_id blob;
ALTER TABLE services ADD COLUMN hidden integer NOT NULL DEFAULT 0;
ALTER TABLE services ADD COLUMN sort_order integer NOT NULL DEFAULT 0;
ALTER TABLE services ADD COLUMN pay_deposit integer NOT NULL DEFAULT 0;
ALTER TABLE services ADD COLUMN pay_pricing_plan integer NOT NULL DEFAULT 0;
ALTER TABLE services ADD COLUMN details text NOT NULL DEFAULT '{}';
CREATE INDEX services_category ON services (site_id, category_id);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('categories', 'categories', '100 10 1'),
    ('service_slugs', 'service_slugs', '500 50 1'),
    ('service_slugs', 'service_slugs_service', '500 50 2'),
    ('services', 'services_category', '500 50 5');
