-- What was of a type that the business had made up counts as equipment from here on.
UPDATE resources SET resource_type = 'EQUIPMENT' WHERE resource_type NOT IN ('STAFF', 'ROOM', 'EQUIPMENT');
UPDATE services SET requirements = (
    SELECT jsonb_agg(
        CASE
            WHEN jsonb_typeof(entry.value -> 'resource_type') = 'object'
                THEN jsonb_set(entry.value, '{resource_type}', '"EQUIPMENT"')
            ELSE entry.value
        END
        ORDER BY entry.ordinality
    )
    FROM jsonb_array_elements(services.requirements) WITH ORDINALITY AS entry
)
WHERE services.requirements::text LIKE '%CUSTOM%';
DROP TABLE resource_types;
