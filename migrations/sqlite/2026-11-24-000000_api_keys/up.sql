-- Keys of apps. Of a key's secret there is only the hash.
CREATE TABLE api_keys (
    site_id blob NOT NULL REFERENCES sites (id),
    id blob NOT NULL,
    name text NOT NULL,
    scopes text NOT NULL,
    secret_hash blob NOT NULL,
    created_by_kind text NOT NULL,
    created_by_id text NOT NULL,
    expires_at integer,
    revoked_at integer,
    revision integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    PRIMARY KEY (site_id, id)
) WITHOUT ROWID, STRICT;

-- The operator's list of sites.
CREATE INDEX sites_created ON sites (created_at, id);
