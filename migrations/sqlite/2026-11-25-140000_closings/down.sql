CREATE TABLE blocked_times_before (
    site_id blob NOT NULL,
    id blob NOT NULL,
    resource_id blob NOT NULL,
    starts_at integer NOT NULL,
    ends_at integer NOT NULL,
    reason text,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    transparent integer NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, resource_id) REFERENCES resources (site_id, id),
    CHECK (starts_at < ends_at)
) WITHOUT ROWID, STRICT;
INSERT INTO blocked_times_before
SELECT site_id, id, resource_id, starts_at, ends_at, reason, revision, created_at, updated_at, transparent
FROM blocked_times WHERE resource_id IS NOT NULL;
DROP TABLE blocked_times;
ALTER TABLE blocked_times_before RENAME TO blocked_times;
CREATE INDEX blocked_times_start ON blocked_times (site_id, starts_at, id);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('blocked_times', 'blocked_times', '10000 1000 1'),
    ('blocked_times', 'blocked_times_start', '10000 1000 2 1');
