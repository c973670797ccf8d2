-- The booking core. The same tables as in migrations/postgres; what only this engine has is named in the
-- comments. Every primary key begins with the site, so that sites can be spread over machines.
--
-- Tables with long rows keep SQLite's row number: in a table without one, a row of more than a quarter of a page goes to
-- pages of its own, and all of it is read on the way to another.

-- The directory of sites: the one table that isn't bound to a site.
CREATE TABLE sites (
    id blob PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    time_zone text NOT NULL,
    currency text NOT NULL,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL
) WITHOUT ROWID, STRICT;

-- One hot row a site: the last thing that a writing transaction touches, so that positions are in commit order.
CREATE TABLE site_counters (
    site_id blob PRIMARY KEY REFERENCES sites (id),
    position integer NOT NULL
) WITHOUT ROWID, STRICT;

CREATE TABLE services (
    site_id blob NOT NULL REFERENCES sites (id),
    id blob NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    description text,
    default_capacity integer NOT NULL,
    durations text NOT NULL,
    buffer_minutes integer NOT NULL,
    price_minor integer,
    price_currency text,
    pay_online integer NOT NULL,
    pay_in_person integer NOT NULL,
    online_booking_enabled integer NOT NULL,
    require_manual_approval integer NOT NULL,
    allow_multiple_requests integer NOT NULL,
    location text,
    resource_ids text NOT NULL,
    schedule_id blob NOT NULL,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    deleted_at integer,
    PRIMARY KEY (site_id, id),
    CHECK ((price_minor IS NULL) = (price_currency IS NULL))
) STRICT;
CREATE UNIQUE INDEX services_slug ON services (site_id, slug);

CREATE TABLE resources (
    site_id blob NOT NULL REFERENCES sites (id),
    id blob NOT NULL,
    resource_type text NOT NULL,
    name text NOT NULL,
    email text,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    deleted_at integer,
    PRIMARY KEY (site_id, id)
) WITHOUT ROWID, STRICT;

CREATE TABLE schedules (
    site_id blob NOT NULL,
    id blob NOT NULL,
    service_id blob NOT NULL,
    name text NOT NULL,
    capacity integer NOT NULL,
    first_session_start integer,
    last_session_end integer,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    deleted_at integer,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, service_id) REFERENCES services (site_id, id)
) WITHOUT ROWID, STRICT;
CREATE INDEX schedules_service ON schedules (site_id, service_id);

CREATE TABLE sessions (
    site_id blob NOT NULL,
    id blob NOT NULL,
    schedule_id blob NOT NULL,
    service_id blob NOT NULL,
    title text NOT NULL,
    local_start text NOT NULL,
    local_end text NOT NULL,
    time_zone text NOT NULL,
    starts_at integer NOT NULL,
    ends_at integer NOT NULL,
    capacity integer NOT NULL,
    status text NOT NULL,
    resources text NOT NULL,
    location text,
    series_id blob,
    original_start_local text,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, schedule_id) REFERENCES schedules (site_id, id),
    CHECK (starts_at < ends_at)
) STRICT;
CREATE INDEX sessions_schedule ON sessions (site_id, schedule_id, starts_at);
CREATE INDEX sessions_service ON sessions (site_id, service_id, starts_at);
CREATE INDEX sessions_start ON sessions (site_id, starts_at, id);
CREATE UNIQUE INDEX sessions_series ON sessions (site_id, series_id, original_start_local);

CREATE TABLE blocked_times (
    site_id blob NOT NULL,
    id blob NOT NULL,
    resource_id blob NOT NULL,
    starts_at integer NOT NULL,
    ends_at integer NOT NULL,
    reason text,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, resource_id) REFERENCES resources (site_id, id),
    CHECK (starts_at < ends_at)
) WITHOUT ROWID, STRICT;
CREATE INDEX blocked_times_start ON blocked_times (site_id, starts_at, id);

CREATE TABLE bookings (
    site_id blob NOT NULL,
    id blob NOT NULL,
    status text NOT NULL,
    payment_status text NOT NULL,
    selected_payment_option text,
    service_id blob NOT NULL,
    kind text NOT NULL,
    schedule_id blob NOT NULL,
    session_id blob,
    resource_id blob,
    resources text NOT NULL,
    starts_at integer NOT NULL,
    ends_at integer NOT NULL,
    buffer_minutes integer NOT NULL,
    time_zone text NOT NULL,
    location text,
    title text NOT NULL,
    total_participants integer NOT NULL,
    participants_choices text,
    double_booked integer NOT NULL,
    hold_expires_at integer,
    flow_control text NOT NULL,
    external_user_id text,
    created_by_kind text NOT NULL,
    created_by_id text NOT NULL,
    participant_notification text,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    canceled_at integer,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, schedule_id) REFERENCES schedules (site_id, id),
    CHECK (total_participants >= 1)
) STRICT;
CREATE INDEX bookings_created ON bookings (site_id, created_at, id);
CREATE INDEX bookings_start ON bookings (site_id, starts_at, id);
CREATE INDEX bookings_schedule ON bookings (site_id, schedule_id);
CREATE INDEX bookings_session ON bookings (site_id, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX bookings_created_by ON bookings (site_id, created_by_kind, created_by_id, created_at);
CREATE INDEX bookings_double_booked ON bookings (site_id, id) WHERE double_booked;

-- Personal data, apart so that it can be erased: the event log refers to the booking only.
CREATE TABLE booking_contacts (
    site_id blob NOT NULL,
    booking_id blob NOT NULL,
    email_key text,
    details text NOT NULL,
    PRIMARY KEY (site_id, booking_id),
    FOREIGN KEY (site_id, booking_id) REFERENCES bookings (site_id, id)
) STRICT;
CREATE INDEX booking_contacts_email ON booking_contacts (site_id, email_key);

-- All held capacity. A row without an overlap reason may not overlap another such row on the same resource: the
-- second line of defence behind the single writer.
CREATE TABLE claims (
    site_id blob NOT NULL,
    id blob NOT NULL,
    resource_id blob,
    session_id blob,
    schedule_id blob,
    starts_at integer NOT NULL,
    ends_at integer NOT NULL,
    seats integer NOT NULL,
    booking_id blob,
    holder_session_id blob,
    block_id blob,
    hold_expires_at integer,
    overlap_reason text,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, booking_id) REFERENCES bookings (site_id, id),
    CHECK ((resource_id IS NOT NULL) + (session_id IS NOT NULL) + (schedule_id IS NOT NULL) = 1),
    CHECK ((booking_id IS NOT NULL) + (holder_session_id IS NOT NULL) + (block_id IS NOT NULL) = 1),
    CHECK (starts_at < ends_at),
    CHECK (seats >= 1)
) WITHOUT ROWID, STRICT;
CREATE INDEX claims_resource ON claims (site_id, resource_id, ends_at) WHERE resource_id IS NOT NULL;
CREATE INDEX claims_session ON claims (site_id, session_id) WHERE session_id IS NOT NULL;
CREATE INDEX claims_schedule ON claims (site_id, schedule_id) WHERE schedule_id IS NOT NULL;
CREATE INDEX claims_booking ON claims (site_id, booking_id) WHERE booking_id IS NOT NULL;
CREATE INDEX claims_holder_session ON claims (site_id, holder_session_id) WHERE holder_session_id IS NOT NULL;
CREATE INDEX claims_block ON claims (site_id, block_id) WHERE block_id IS NOT NULL;
CREATE INDEX claims_hold ON claims (hold_expires_at) WHERE hold_expires_at IS NOT NULL;

-- What the exclusion constraint does on the other engine.
CREATE TRIGGER claims_no_silent_overlap_insert BEFORE INSERT ON claims
WHEN NEW.resource_id IS NOT NULL AND NEW.overlap_reason IS NULL AND EXISTS (
    SELECT 1 FROM claims other
    WHERE other.site_id = NEW.site_id AND other.resource_id = NEW.resource_id AND other.overlap_reason IS NULL
        AND other.ends_at > NEW.starts_at AND other.starts_at < NEW.ends_at AND other.id <> NEW.id
)
BEGIN
    SELECT RAISE(ABORT, 'claims_no_silent_overlap');
END;
CREATE TRIGGER claims_no_silent_overlap_update BEFORE UPDATE ON claims
WHEN NEW.resource_id IS NOT NULL AND NEW.overlap_reason IS NULL AND EXISTS (
    SELECT 1 FROM claims other
    WHERE other.site_id = NEW.site_id AND other.resource_id = NEW.resource_id AND other.overlap_reason IS NULL
        AND other.ends_at > NEW.starts_at AND other.starts_at < NEW.ends_at AND other.id <> NEW.id
)
BEGIN
    SELECT RAISE(ABORT, 'claims_no_silent_overlap');
END;

-- Append-only. The position is gapless and in commit order within a site.
CREATE TABLE events (
    site_id blob NOT NULL,
    position integer NOT NULL,
    booking_id blob NOT NULL,
    event_type text NOT NULL,
    revision integer NOT NULL,
    previous_status text,
    status text NOT NULL,
    state_version integer NOT NULL,
    state text NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    source text NOT NULL,
    audience_kind text NOT NULL,
    audience_id text NOT NULL,
    service_id blob NOT NULL,
    resource_ids text NOT NULL,
    occurred_at integer NOT NULL,
    PRIMARY KEY (site_id, position)
) STRICT;
CREATE UNIQUE INDEX events_booking ON events (site_id, booking_id, revision);

CREATE TABLE idempotency_records (
    site_id blob NOT NULL,
    caller text NOT NULL,
    mutation text NOT NULL,
    idempotency_key text NOT NULL,
    input_hash blob NOT NULL,
    outcome text NOT NULL,
    created_at integer NOT NULL,
    expires_at integer NOT NULL,
    PRIMARY KEY (site_id, caller, mutation, idempotency_key)
) STRICT;
CREATE INDEX idempotency_records_expiry ON idempotency_records (expires_at);

CREATE TABLE notifications (
    site_id blob NOT NULL,
    id blob NOT NULL,
    booking_id blob NOT NULL,
    kind text NOT NULL,
    channel text NOT NULL,
    message text,
    state text NOT NULL,
    created_at integer NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, booking_id) REFERENCES bookings (site_id, id)
) STRICT;
CREATE INDEX notifications_booking ON notifications (site_id, booking_id, id);

-- What the planner is told of the tables' sizes. Left to guess, it takes all of a site's rows to be ten, and looks through
-- them by the primary key instead of asking an index. These are the proportions of a busy site; nothing measures anew.
ANALYZE;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('services', 'sqlite_autoindex_services_1', '500 50 1'),
    ('services', 'services_slug', '500 50 1'),
    ('resources', 'resources', '500 50 1'),
    ('schedules', 'schedules', '500 50 1'),
    ('schedules', 'schedules_service', '500 50 1'),
    ('sessions', 'sqlite_autoindex_sessions_1', '100000 10000 1'),
    ('sessions', 'sessions_schedule', '100000 10000 500 1'),
    ('sessions', 'sessions_service', '100000 10000 500 1'),
    ('sessions', 'sessions_start', '100000 10000 5 1'),
    ('sessions', 'sessions_series', '100000 10000 20 1'),
    ('blocked_times', 'blocked_times', '10000 1000 1'),
    ('blocked_times', 'blocked_times_start', '10000 1000 2 1'),
    ('bookings', 'sqlite_autoindex_bookings_1', '1000000 100000 1'),
    ('bookings', 'bookings_created', '1000000 100000 1 1'),
    ('bookings', 'bookings_start', '1000000 100000 4 1'),
    ('bookings', 'bookings_schedule', '1000000 100000 1000'),
    ('bookings', 'bookings_session', '500000 50000 10'),
    ('bookings', 'bookings_created_by', '1000000 100000 30000 10 1'),
    ('bookings', 'bookings_double_booked', '1000 100 1'),
    ('booking_contacts', 'sqlite_autoindex_booking_contacts_1', '1000000 100000 1'),
    ('booking_contacts', 'booking_contacts_email', '1000000 100000 8'),
    ('claims', 'claims', '1000000 100000 1'),
    ('claims', 'claims_resource', '400000 40000 2000 1'),
    ('claims', 'claims_session', '500000 50000 10'),
    ('claims', 'claims_schedule', '100000 10000 15'),
    ('claims', 'claims_booking', '900000 90000 1'),
    ('claims', 'claims_holder_session', '100000 10000 2'),
    ('claims', 'claims_block', '10000 1000 1'),
    ('claims', 'claims_hold', '1000 1'),
    ('events', 'sqlite_autoindex_events_1', '4000000 400000 1'),
    ('events', 'events_booking', '4000000 400000 4 1'),
    ('idempotency_records', 'sqlite_autoindex_idempotency_records_1', '1000000 100000 100 30 1'),
    ('idempotency_records', 'idempotency_records_expiry', '1000000 1'),
    ('notifications', 'sqlite_autoindex_notifications_1', '2000000 200000 1'),
    ('notifications', 'notifications_booking', '2000000 200000 2 1');
