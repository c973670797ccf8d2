-- What was made of the events of calendar files, so that reading a file again makes nothing twice. The key is a hash of
-- whose calendar it is and of the event's UID; the occurrence is its local start in an event that repeats, or nothing.
CREATE TABLE imported_events (
    site_id blob NOT NULL,
    event_key blob NOT NULL,
    occurrence text NOT NULL,
    fingerprint blob NOT NULL,
    series_id blob,
    session_id blob,
    block_id blob,
    PRIMARY KEY (site_id, event_key, occurrence),
    CHECK ((series_id IS NOT NULL) + (session_id IS NOT NULL) + (block_id IS NOT NULL) = 1)
) STRICT;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('imported_events', 'sqlite_autoindex_imported_events_1', '100000 10000 20 1');
