-- 0002_models.sql: the models that were ever loaded.
--
-- One row for each model file, told apart by its digest: a file that was
-- trained further or edited is another model, even under the same name. The row
-- stays when the file is gone.
CREATE TABLE models (
    id              INTEGER PRIMARY KEY,
    digest          TEXT    NOT NULL UNIQUE   -- SHA-256 of the file, 64 hex digits
                            CHECK (length(digest) = 64),
    name            TEXT    NOT NULL,         -- "en-fr"
    source          TEXT    NOT NULL,         -- language code, "en"
    target          TEXT    NOT NULL,
    card            TEXT                      -- JSON as the file has it: data, licences, scores
                            CHECK (card IS NULL OR json_valid(card)),
    vocabulary_id   INTEGER NOT NULL REFERENCES vocabularies(id),
    first_loaded_ms INTEGER NOT NULL,         -- milliseconds since 1970-01-01 UTC
    last_loaded_ms  INTEGER NOT NULL CHECK (last_loaded_ms >= first_loaded_ms)
) STRICT;

CREATE INDEX models_by_vocabulary ON models(vocabulary_id);
