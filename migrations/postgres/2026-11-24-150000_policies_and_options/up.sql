-- Booking policies: the rules for customers that services share. One of a site may be the default: that of services
-- that name none.
CREATE TABLE booking_policies (
    site_id uuid NOT NULL REFERENCES sites (id),
    id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    is_default boolean NOT NULL,
    rules jsonb NOT NULL,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX booking_policies_default ON booking_policies (site_id) WHERE is_default;
CREATE INDEX booking_policies_created ON booking_policies (site_id, created_at, id);

-- Whose choices cost and last differently: the options of a service and what each combination of choices costs.
CREATE TABLE service_options (
    site_id uuid NOT NULL,
    id uuid NOT NULL,
    service_id uuid NOT NULL,
    options jsonb NOT NULL,
    variants jsonb NOT NULL,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, service_id) REFERENCES services (site_id, id)
);
CREATE UNIQUE INDEX service_options_service ON service_options (site_id, service_id);

-- Null: the site's default.
ALTER TABLE services ADD COLUMN booking_policy_id uuid;
CREATE INDEX services_booking_policy ON services (site_id, booking_policy_id) WHERE booking_policy_id IS NOT NULL;

-- What was agreed when it was booked: the policy and the price. Null for what was booked before there were any.
ALTER TABLE bookings ADD COLUMN terms jsonb;
