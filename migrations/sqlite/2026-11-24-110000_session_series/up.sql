-- Series of sessions. What their sessions have in common is the template; how far they are made is a date that only
-- series without an end have.
CREATE TABLE session_series (
    site_id blob NOT NULL,
    id blob NOT NULL,
    schedule_id blob NOT NULL,
    service_id blob NOT NULL,
    recurrence text NOT NULL,
    template text NOT NULL,
    materialized_until integer,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    cancelled_at integer,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, schedule_id) REFERENCES schedules (site_id, id)
) STRICT;
-- The sweep that makes the sessions of another while asks for those of all sites that are due.
CREATE INDEX session_series_due ON session_series (materialized_until) WHERE materialized_until IS NOT NULL;

-- What a session of a series has of its own; null where it follows in everything.
ALTER TABLE sessions ADD COLUMN overrides text;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('session_series', 'sqlite_autoindex_session_series_1', '5000 500 1'),
    ('session_series', 'session_series_due', '2000 1');
