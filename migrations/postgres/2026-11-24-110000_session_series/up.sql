-- Series of sessions. What their sessions have in common is the template; how far they are made is a date that only
-- series without an end have.
CREATE TABLE session_series (
    site_id uuid NOT NULL,
    id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    service_id uuid NOT NULL,
    recurrence text COLLATE "C" NOT NULL,
    template jsonb NOT NULL,
    materialized_until timestamptz,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    cancelled_at timestamptz,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, schedule_id) REFERENCES schedules (site_id, id)
);
-- The sweep that makes the sessions of another while asks for those of all sites that are due.
CREATE INDEX session_series_due ON session_series (materialized_until) WHERE materialized_until IS NOT NULL;

-- What a session of a series has of its own; null where it follows in everything.
ALTER TABLE sessions ADD COLUMN overrides jsonb;
