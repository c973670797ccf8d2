-- What of the calendar an act touched, for whoever watches free times: at the act's last event, or on its own where no
-- booking changed. The positions are those of the log.
ALTER TABLE events ADD COLUMN touched text;

CREATE TABLE calendar_changes (
    site_id blob NOT NULL,
    position integer NOT NULL,
    touched text NOT NULL,
    PRIMARY KEY (site_id, position)
) WITHOUT ROWID, STRICT;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('calendar_changes', 'calendar_changes', '100000 10000 1');
