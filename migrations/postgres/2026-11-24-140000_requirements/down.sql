UPDATE services SET requirements = (
    SELECT coalesce(jsonb_agg(named.value), '[]')
    FROM jsonb_array_elements(services.requirements) AS entry, jsonb_array_elements(entry.value -> 'resources') AS named
);

ALTER TABLE services RENAME COLUMN requirements TO resource_ids;
