-- What an appointment needs, with counts and choice. A list of ids meant one free resource of each type that occurs
-- in it: that is what it becomes.
ALTER TABLE services RENAME COLUMN resource_ids TO requirements;

UPDATE services SET requirements = coalesce((
    SELECT json_group_array(
        json_object('resource_type', kind, 'resources', json(ids), 'required', 1, 'selectable', json('true'))
        ORDER BY kind <> 'STAFF'
    )
    FROM (
        SELECT resources.resource_type AS kind, json_group_array(named.value ORDER BY named.key) AS ids
        FROM json_each(services.requirements) AS named
        JOIN resources
            ON resources.site_id = services.site_id AND resources.id = unhex(replace(named.value, '-', ''))
        GROUP BY resources.resource_type
    )
), '[]');
