-- When the business and its resources are open: one row each, the business's under the site's own id. No document:
-- those of the business, or around the clock for the business itself.
CREATE TABLE opening_hours (
    site_id uuid NOT NULL REFERENCES sites (id),
    owner_id uuid NOT NULL,
    hours jsonb,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, owner_id)
);

-- How far apart an appointment's starts are; null: its own length and its buffer.
ALTER TABLE services ADD COLUMN slot_step_minutes integer DEFAULT 30;
