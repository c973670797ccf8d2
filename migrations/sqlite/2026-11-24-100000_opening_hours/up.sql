-- When the business and its resources are open: one row each, the business's under the site's own id. No document:
-- those of the business, or around the clock for the business itself.
CREATE TABLE opening_hours (
    site_id blob NOT NULL REFERENCES sites (id),
    owner_id blob NOT NULL,
    hours text,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    PRIMARY KEY (site_id, owner_id)
) STRICT;

-- How far apart an appointment's starts are; null: its own length and its buffer.
ALTER TABLE services ADD COLUMN slot_step_minutes integer DEFAULT 30;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('opening_hours', 'sqlite_autoindex_opening_hours_1', '200 20 1');
