-- What was of a type that the business had made up counts as equipment from here on.
UPDATE resources SET resource_type = 'EQUIPMENT' WHERE resource_type NOT IN ('STAFF', 'ROOM', 'EQUIPMENT');
UPDATE services SET requirements = (
    SELECT json_group_array(
        CASE
            WHEN json_type(entry.value, '$.resource_type') = 'object'
                THEN json_set(entry.value, '$.resource_type', 'EQUIPMENT')
            ELSE json(entry.value)
        END
        ORDER BY entry.key
    )
    FROM json_each(services.requirements) AS entry
)
WHERE services.requirements LIKE '%CUSTOM%';
DROP TABLE resource_types;
