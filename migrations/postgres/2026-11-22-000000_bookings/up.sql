-- The booking core. The same tables as in migrations/sqlite; what only this engine has is named in the
-- comments. Every primary key begins with the site, so that sites can be spread over machines.

CREATE EXTENSION IF NOT EXISTS btree_gist;

-- The directory of sites: the one table that isn't bound to a site.
CREATE TABLE sites (
    id uuid PRIMARY KEY,
    slug text COLLATE "C" NOT NULL UNIQUE,
    name text COLLATE "C" NOT NULL,
    time_zone text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- One hot row a site: the last thing that a writing transaction touches, so that positions are in commit order.
CREATE TABLE site_counters (
    site_id uuid PRIMARY KEY REFERENCES sites (id),
    position bigint NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE services (
    site_id uuid NOT NULL REFERENCES sites (id),
    id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    slug text COLLATE "C" NOT NULL,
    description text COLLATE "C",
    default_capacity integer NOT NULL,
    durations jsonb NOT NULL,
    buffer_minutes integer NOT NULL,
    price_minor bigint,
    price_currency text COLLATE "C",
    pay_online boolean NOT NULL,
    pay_in_person boolean NOT NULL,
    online_booking_enabled boolean NOT NULL,
    require_manual_approval boolean NOT NULL,
    allow_multiple_requests boolean NOT NULL,
    location jsonb,
    resource_ids jsonb NOT NULL,
    schedule_id uuid NOT NULL,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (site_id, id),
    CHECK ((price_minor IS NULL) = (price_currency IS NULL))
);
CREATE UNIQUE INDEX services_slug ON services (site_id, slug);

CREATE TABLE resources (
    site_id uuid NOT NULL REFERENCES sites (id),
    id uuid NOT NULL,
    resource_type text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    email text COLLATE "C",
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (site_id, id)
);

CREATE TABLE schedules (
    site_id uuid NOT NULL,
    id uuid NOT NULL,
    service_id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    capacity integer NOT NULL,
    first_session_start timestamptz,
    last_session_end timestamptz,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, service_id) REFERENCES services (site_id, id)
);
CREATE INDEX schedules_service ON schedules (site_id, service_id);

CREATE TABLE sessions (
    site_id uuid NOT NULL,
    id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    service_id uuid NOT NULL,
    title text COLLATE "C" NOT NULL,
    local_start text COLLATE "C" NOT NULL,
    local_end text COLLATE "C" NOT NULL,
    time_zone text COLLATE "C" NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    capacity integer NOT NULL,
    status text COLLATE "C" NOT NULL,
    resources jsonb NOT NULL,
    location jsonb,
    series_id uuid,
    original_start_local text COLLATE "C",
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, schedule_id) REFERENCES schedules (site_id, id),
    CHECK (starts_at < ends_at)
);
CREATE INDEX sessions_schedule ON sessions (site_id, schedule_id, starts_at);
CREATE INDEX sessions_service ON sessions (site_id, service_id, starts_at);
CREATE INDEX sessions_start ON sessions (site_id, starts_at, id);
CREATE UNIQUE INDEX sessions_series ON sessions (site_id, series_id, original_start_local);

CREATE TABLE blocked_times (
    site_id uuid NOT NULL,
    id uuid NOT NULL,
    resource_id uuid NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    reason text COLLATE "C",
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, resource_id) REFERENCES resources (site_id, id),
    CHECK (starts_at < ends_at)
);
CREATE INDEX blocked_times_start ON blocked_times (site_id, starts_at, id);

CREATE TABLE bookings (
    site_id uuid NOT NULL,
    id uuid NOT NULL,
    status text COLLATE "C" NOT NULL,
    payment_status text COLLATE "C" NOT NULL,
    selected_payment_option text COLLATE "C",
    service_id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    schedule_id uuid NOT NULL,
    session_id uuid,
    resource_id uuid,
    resources jsonb NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    buffer_minutes integer NOT NULL,
    time_zone text COLLATE "C" NOT NULL,
    location jsonb,
    title text COLLATE "C" NOT NULL,
    total_participants integer NOT NULL,
    participants_choices jsonb,
    double_booked boolean NOT NULL,
    hold_expires_at timestamptz,
    flow_control jsonb NOT NULL,
    external_user_id text COLLATE "C",
    created_by_kind text COLLATE "C" NOT NULL,
    created_by_id text COLLATE "C" NOT NULL,
    participant_notification jsonb,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    canceled_at timestamptz,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, schedule_id) REFERENCES schedules (site_id, id),
    CHECK (total_participants >= 1)
);
CREATE INDEX bookings_created ON bookings (site_id, created_at, id);
CREATE INDEX bookings_start ON bookings (site_id, starts_at, id);
CREATE INDEX bookings_schedule ON bookings (site_id, schedule_id);
CREATE INDEX bookings_session ON bookings (site_id, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX bookings_created_by ON bookings (site_id, created_by_kind, created_by_id, created_at);
CREATE INDEX bookings_double_booked ON bookings (site_id, id) WHERE double_booked;

-- Personal data, apart so that it can be erased: the event log refers to the booking only.
CREATE TABLE booking_contacts (
    site_id uuid NOT NULL,
    booking_id uuid NOT NULL,
    email_key text COLLATE "C",
    details jsonb NOT NULL,
    PRIMARY KEY (site_id, booking_id),
    FOREIGN KEY (site_id, booking_id) REFERENCES bookings (site_id, id)
);
CREATE INDEX booking_contacts_email ON booking_contacts (site_id, email_key);

-- All held capacity. A row without an overlap reason may not overlap another such row on the same resource: the
-- second line of defence behind the row locks.
CREATE TABLE claims (
    site_id uuid NOT NULL,
    id uuid NOT NULL,
    resource_id uuid,
    session_id uuid,
    schedule_id uuid,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    seats integer NOT NULL,
    booking_id uuid,
    holder_session_id uuid,
    block_id uuid,
    hold_expires_at timestamptz,
    overlap_reason text COLLATE "C",
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, booking_id) REFERENCES bookings (site_id, id),
    CHECK (num_nonnulls(resource_id, session_id, schedule_id) = 1),
    CHECK (num_nonnulls(booking_id, holder_session_id, block_id) = 1),
    CHECK (starts_at < ends_at),
    CHECK (seats >= 1),
    CONSTRAINT claims_no_silent_overlap EXCLUDE USING gist (
        site_id WITH =,
        resource_id WITH =,
        tstzrange(starts_at, ends_at) WITH &&
    ) WHERE (resource_id IS NOT NULL AND overlap_reason IS NULL)
);
CREATE INDEX claims_resource ON claims (site_id, resource_id, ends_at) WHERE resource_id IS NOT NULL;
CREATE INDEX claims_session ON claims (site_id, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX claims_schedule ON claims (site_id, schedule_id) WHERE schedule_id IS NOT NULL;
CREATE INDEX claims_booking ON claims (site_id, booking_id) WHERE booking_id IS NOT NULL;
CREATE INDEX claims_holder_session ON claims (site_id, holder_session_id) WHERE holder_session_id IS NOT NULL;
CREATE INDEX claims_block ON claims (site_id, block_id) WHERE block_id IS NOT NULL;
CREATE INDEX claims_hold ON claims (hold_expires_at) WHERE hold_expires_at IS NOT NULL;

-- Append-only. The position is gapless and in commit order within a site.
CREATE TABLE events (
    site_id uuid NOT NULL,
    position bigint NOT NULL,
    booking_id uuid NOT NULL,
    event_type text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    previous_status text COLLATE "C",
    status text COLLATE "C" NOT NULL,
    state_version integer NOT NULL,
    state jsonb NOT NULL,
    actor_kind text COLLATE "C" NOT NULL,
    actor_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    audience_kind text COLLATE "C" NOT NULL,
    audience_id text COLLATE "C" NOT NULL,
    service_id uuid NOT NULL,
    resource_ids jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, position)
);
CREATE UNIQUE INDEX events_booking ON events (site_id, booking_id, revision);

CREATE TABLE idempotency_records (
    site_id uuid NOT NULL,
    caller text COLLATE "C" NOT NULL,
    mutation text COLLATE "C" NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    input_hash bytea NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, caller, mutation, idempotency_key)
);
CREATE INDEX idempotency_records_expiry ON idempotency_records (expires_at);

CREATE TABLE notifications (
    site_id uuid NOT NULL,
    id uuid NOT NULL,
    booking_id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL,
    message text COLLATE "C",
    state text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, booking_id) REFERENCES bookings (site_id, id)
);
CREATE INDEX notifications_booking ON notifications (site_id, booking_id, id);
