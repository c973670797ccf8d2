-- What was made of the events of calendar files, so that reading a file again makes nothing twice. The key is a hash of
-- whose calendar it is and of the event's UID; the occurrence is its local start in an event that repeats, or nothing.
CREATE TABLE imported_events (
    site_id uuid NOT NULL,
    event_key bytea NOT NULL,
    occurrence text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL,
    series_id uuid,
    session_id uuid,
    block_id uuid,
    PRIMARY KEY (site_id, event_key, occurrence),
    CHECK (num_nonnulls(series_id, session_id, block_id) = 1)
);
