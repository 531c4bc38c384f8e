-- 0001_vocabularies.sql: the vocabularies of models that were ever loaded.
--
-- A vocabulary is copied here when a model that carries it is first loaded, and
-- text is cut into pieces by what is here ever after. So whatever refers to
-- pieces by number stays readable when the model file is gone. Rows are never
-- changed: another vocabulary is another row with another sha256.
CREATE TABLE vocabularies (
    id          INTEGER PRIMARY KEY,
    sha256      TEXT    NOT NULL UNIQUE       -- of the vocabulary as the model file has it (TSV)
                        CHECK (length(sha256) = 64),
    form        TEXT    NOT NULL              -- how text is normalised before it is cut
                        CHECK (form IN ('nfc', 'nfkc')),
    casefold    INTEGER NOT NULL              -- 1: text is case-folded first
                        CHECK (casefold IN (0, 1)),
    piece_count INTEGER NOT NULL CHECK (piece_count > 0),
    imported_ms INTEGER NOT NULL              -- milliseconds since 1970-01-01 UTC
) STRICT;

-- One piece of a vocabulary. Numbers run from 0 to piece_count - 1; the first
-- four are <pad> <unk> <s> </s>. A byte piece is written <0x41>; "▁" stands for
-- a space.
CREATE TABLE pieces (
    vocabulary_id INTEGER NOT NULL REFERENCES vocabularies(id) ON DELETE CASCADE,
    number        INTEGER NOT NULL CHECK (number >= 0),
    text          TEXT    NOT NULL,
    score         REAL    NOT NULL,           -- a float32; the best pair is merged first
    kind          TEXT    NOT NULL
                          CHECK (kind IN ('normal', 'byte', 'control', 'unknown')),
    PRIMARY KEY (vocabulary_id, number)
) STRICT, WITHOUT ROWID;
