-- Keys of apps. Of a key's secret there is only the hash.
CREATE TABLE api_keys (
    site_id uuid NOT NULL REFERENCES sites (id),
    id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    scopes jsonb NOT NULL,
    secret_hash bytea NOT NULL,
    created_by_kind text COLLATE "C" NOT NULL,
    created_by_id text COLLATE "C" NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    revision bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, id)
);

-- The operator's list of sites.
CREATE INDEX sites_created ON sites (created_at, id);
