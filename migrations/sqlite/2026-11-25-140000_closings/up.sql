-- A blocked time without a resource closes the business, or one of its locations. What it stands over is on record in it.
-- A column can't be told to allow nothing: the table is made anew. Nothing refers to it.
CREATE TABLE blocked_times_anew (
    site_id blob NOT NULL,
    id blob NOT NULL,
    resource_id blob,
    starts_at integer NOT NULL,
    ends_at integer NOT NULL,
    reason text,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    transparent integer NOT NULL DEFAULT 0,
    location_id blob,
    overlap_reason text,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, resource_id) REFERENCES resources (site_id, id),
    FOREIGN KEY (site_id, location_id) REFERENCES business_locations (site_id, id),
    CHECK (starts_at < ends_at),
    CHECK (resource_id IS NULL OR (location_id IS NULL AND overlap_reason IS NULL))
) WITHOUT ROWID, STRICT;
INSERT INTO blocked_times_anew
SELECT site_id, id, resource_id, starts_at, ends_at, reason, revision, created_at, updated_at, transparent, NULL, NULL
FROM blocked_times;
DROP TABLE blocked_times;
ALTER TABLE blocked_times_anew RENAME TO blocked_times;
CREATE INDEX blocked_times_start ON blocked_times (site_id, starts_at, id);
CREATE INDEX blocked_times_closing ON blocked_times (site_id, ends_at) WHERE resource_id IS NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('blocked_times', 'blocked_times', '10000 1000 1'),
    ('blocked_times', 'blocked_times_start', '10000 1000 2 1'),
    ('blocked_times', 'blocked_times_closing', '100 10 1');
