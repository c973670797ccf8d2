-- What an appointment needs, with counts and choice. A list of ids meant one free resource of each type that occurs
-- in it: that is what it becomes.
ALTER TABLE services RENAME COLUMN resource_ids TO requirements;

UPDATE services SET requirements = coalesce((
    SELECT jsonb_agg(
        jsonb_build_object('resource_type', kind, 'resources', ids, 'required', 1, 'selectable', true)
        ORDER BY kind <> 'STAFF'
    )
    FROM (
        SELECT resources.resource_type AS kind, jsonb_agg(named.value ORDER BY named.ordinality) AS ids
        FROM jsonb_array_elements(services.requirements) WITH ORDINALITY AS named
        JOIN resources ON resources.site_id = services.site_id AND resources.id = (named.value #>> '{}')::uuid
        GROUP BY resources.resource_type
    ) AS by_type
), '[]');
