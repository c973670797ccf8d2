-- Booking policies: the rules for customers that services share. One of a site may be the default: that of services
-- that name none.
CREATE TABLE booking_policies (
    site_id blob NOT NULL REFERENCES sites (id),
    id blob NOT NULL,
    name text NOT NULL,
    is_default integer NOT NULL,
    rules text NOT NULL,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    deleted_at integer,
    PRIMARY KEY (site_id, id)
) STRICT;
CREATE UNIQUE INDEX booking_policies_default ON booking_policies (site_id) WHERE is_default;
CREATE INDEX booking_policies_created ON booking_policies (site_id, created_at, id);

-- Whose choices cost and last differently: the options of a service and what each combination of choices costs.
CREATE TABLE service_options (
    site_id blob NOT NULL,
    id blob NOT NULL,
    service_id blob NOT NULL,
    options text NOT NULL,
    variants text NOT NULL,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, service_id) REFERENCES services (site_id, id)
) STRICT;
CREATE UNIQUE INDEX service_options_service ON service_options (site_id, service_id);

-- Null: the site's default.
ALTER TABLE services ADD COLUMN booking_policy_id blob;
CREATE INDEX services_booking_policy ON services (site_id, booking_policy_id) WHERE booking_policy_id IS NOT NULL;

-- What was agreed when it was booked: the policy and the price. Null for what was booked before there were any.
ALTER TABLE bookings ADD COLUMN terms text;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('booking_policies', 'sqlite_autoindex_booking_policies_1', '100 10 1'),
    ('booking_policies', 'booking_policies_default', '10 1'),
    ('booking_policies', 'booking_policies_created', '100 10 1 1'),
    ('service_options', 'sqlite_autoindex_service_options_1', '200 20 1'),
    ('service_options', 'service_options_service', '200 20 1'),
    ('services', 'services_booking_policy', '200 20 5');
