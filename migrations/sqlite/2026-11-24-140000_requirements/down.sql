UPDATE services SET requirements = (
    SELECT json_group_array(named.value)
    FROM json_each(services.requirements) AS entry, json_each(entry.value, '$.resources') AS named
);

ALTER TABLE services RENAME COLUMN requirements TO resource_ids;
