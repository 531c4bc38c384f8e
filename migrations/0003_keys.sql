-- 0003_keys.sql: who may use the service, where it asks for keys.
--
-- A row is one key that was given out. The key itself is shown once and never
-- stored: what is here recognises it. A key that was revoked keeps its row, so
-- that what it translated still has an owner.
CREATE TABLE keys (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE        -- whose it is, "anna": for people, never a secret
                       CHECK (length(name) BETWEEN 1 AND 100),
    sha256     TEXT    NOT NULL UNIQUE        -- of the key, 64 hex digits
                       CHECK (length(sha256) = 64),
    scopes     INTEGER NOT NULL               -- a sum: 1 translate, 2 read its own rows, 4 admin
                       CHECK (scopes BETWEEN 1 AND 7),
    rate       INTEGER                        -- requests a minute; NULL: as the server is set
                       CHECK (rate > 0),
    created_ms INTEGER NOT NULL,              -- milliseconds since 1970-01-01 UTC
    revoked_ms INTEGER                        -- NULL: it is good
                       CHECK (revoked_ms >= created_ms)
) STRICT;
