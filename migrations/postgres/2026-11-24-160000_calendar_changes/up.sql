-- What of the calendar an act touched, for whoever watches free times: at the act's last event, or on its own where no
-- booking changed. The positions are those of the log.
ALTER TABLE events ADD COLUMN touched jsonb;

CREATE TABLE calendar_changes (
    site_id uuid NOT NULL,
    position bigint NOT NULL,
    touched jsonb NOT NULL,
    PRIMARY KEY (site_id, position)
);
