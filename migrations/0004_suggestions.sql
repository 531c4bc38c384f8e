-- 0004_suggestions.sql: translations that people say would be better.
--
-- A row is one suggestion for one text of one pair of languages. Nobody is
-- given it before it was accepted; of one source text and pair one at most is.
CREATE TABLE suggestions (
    id              INTEGER PRIMARY KEY,
    source_language TEXT    NOT NULL,          -- "en"
    target_language TEXT    NOT NULL,
    source_text     TEXT    NOT NULL CHECK (source_text <> ''),
    suggested_text  TEXT    NOT NULL CHECK (suggested_text <> ''),
    state           TEXT    NOT NULL DEFAULT 'pending'
                            CHECK (state IN ('pending', 'accepted', 'rejected')),
    key_id          INTEGER REFERENCES keys(id), -- who said so; NULL: somebody without a key
    client          TEXT    NOT NULL,            -- the same as 16 digits of a hash, of the key's id
                                                 -- or of the address: so many of one may wait
    created_ms      INTEGER NOT NULL,            -- milliseconds since 1970-01-01 UTC
    decided_ms      INTEGER                      -- when it was accepted or rejected
                            CHECK ((decided_ms IS NULL) = (state = 'pending'))
) STRICT;

CREATE INDEX suggestions_by_state ON suggestions(state, id);
CREATE INDEX suggestions_by_decision ON suggestions(decided_ms);
CREATE INDEX suggestions_by_client ON suggestions(client) WHERE state = 'pending';
CREATE INDEX suggestions_by_key ON suggestions(key_id) WHERE key_id IS NOT NULL;
CREATE UNIQUE INDEX accepted_suggestions
    ON suggestions(source_text, source_language, target_language) WHERE state = 'accepted';

-- The words of the source texts, for search. It holds no text of its own and
-- is kept in step by the triggers below:
--     SELECT s.* FROM suggestions_fts f JOIN suggestions s ON s.id = f.rowid
--     WHERE suggestions_fts MATCH '"good morning"'
CREATE VIRTUAL TABLE suggestions_fts USING fts5(
    source_text, content = 'suggestions', content_rowid = 'id', tokenize = 'unicode61');

CREATE TRIGGER suggestion_added AFTER INSERT ON suggestions BEGIN
    INSERT INTO suggestions_fts(rowid, source_text) VALUES (new.id, new.source_text);
END;

CREATE TRIGGER suggestion_deleted AFTER DELETE ON suggestions BEGIN
    INSERT INTO suggestions_fts(suggestions_fts, rowid, source_text)
        VALUES ('delete', old.id, old.source_text);
END;

CREATE TRIGGER suggestion_changed AFTER UPDATE OF source_text ON suggestions BEGIN
    INSERT INTO suggestions_fts(suggestions_fts, rowid, source_text)
        VALUES ('delete', old.id, old.source_text);
    INSERT INTO suggestions_fts(rowid, source_text) VALUES (new.id, new.source_text);
END;
