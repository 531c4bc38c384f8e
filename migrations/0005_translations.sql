-- 0005_translations.sql: the journal, what was translated and what explains it.
--
--     translations 1--n hypotheses         each with its alignment, piece by piece
--                  1--n links n--1 word_pairs          word by word, and counted
--
-- The views at the end are for people: aligned_words, uncovered_words, lexicon.
-- Rows are only written by the service; delete translations and the rest goes
-- with them (keep foreign keys on: PRAGMA foreign_keys = ON).

-- The tag that ids in texts begin with, as in "a1-0000000000001".
CREATE TABLE replica (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    tag      TEXT    NOT NULL CHECK (length(tag) BETWEEN 1 AND 8)
) STRICT;

-- One text that was translated. Without text (the service can be told to keep
-- none) lengths, times, scores and matrices are all there is.
CREATE TABLE translations (
    id             INTEGER PRIMARY KEY,       -- milliseconds since 1970 * 2^21 + a number
    model_id       INTEGER NOT NULL REFERENCES models(id), -- whose the alignment is
    first_model_id INTEGER REFERENCES models(id), -- to English first, and then by model_id
    suggestion_id  INTEGER REFERENCES suggestions(id) -- people's words, no model's
                           ON DELETE SET NULL,
    key_id         INTEGER REFERENCES keys(id),   -- who asked; NULL: somebody without a key
    source_text    TEXT,                      -- as it was sent
    target_text    TEXT,                      -- as it was answered
    model_source   TEXT,                      -- what model_id was given, if not source_text:
    model_target   TEXT,                      -- English, or the sentences of a page; its answer
    source_length  INTEGER NOT NULL,          -- characters
    target_length  INTEGER NOT NULL,
    beam           INTEGER NOT NULL,
    took_us        INTEGER NOT NULL,          -- microseconds, with all that was in flight beside it
    created_ms     INTEGER GENERATED ALWAYS AS (id >> 21) VIRTUAL
) STRICT;

CREATE INDEX translations_by_key ON translations(key_id, id) WHERE key_id IS NOT NULL;
CREATE INDEX translations_by_suggestion ON translations(suggestion_id)
    WHERE suggestion_id IS NOT NULL;

-- One hypothesis for one sentence; number 0 is the one that was answered. Blobs
-- are described in server/engine/pack.h.
CREATE TABLE hypotheses (
    translation_id INTEGER NOT NULL REFERENCES translations(id) ON DELETE CASCADE,
    sentence       INTEGER NOT NULL,          -- from 0
    number         INTEGER NOT NULL,          -- from 0, best first
    score          REAL    NOT NULL,          -- what it was ranked by
    source         BLOB,                      -- where the sentence stands, its pieces (number 0)
    target         BLOB,                      -- pieces
    alignment      BLOB    NOT NULL,          -- log-probabilities and weights of the pieces
    PRIMARY KEY (translation_id, sentence, number)
) STRICT, WITHOUT ROWID;

-- A source word and a target word that were linked at least once. target_word
-- '' stands for source words that no target word looked at.
CREATE TABLE word_pairs (
    id              INTEGER PRIMARY KEY,
    source_language TEXT    NOT NULL,         -- "en"
    target_language TEXT    NOT NULL,
    source_word     TEXT    NOT NULL,         -- as it was written
    target_word     TEXT    NOT NULL,
    count           INTEGER NOT NULL CHECK (count >= 0), -- rows in links
    last_id         INTEGER                   -- the last translation with it; NULL: was deleted
) STRICT;

CREATE UNIQUE INDEX word_pairs_by_source
    ON word_pairs(source_word, target_word, source_language, target_language);
CREATE INDEX word_pairs_by_target ON word_pairs(target_word) WHERE target_word <> '';

-- One link: a target word and the source word it looked at most, in the
-- hypothesis that was answered; or a source word that was left out.
CREATE TABLE links (
    translation_id INTEGER NOT NULL REFERENCES translations(id) ON DELETE CASCADE,
    sentence       INTEGER NOT NULL,
    target_number  INTEGER NOT NULL,          -- of the word in its sentence; -1: left out
    source_number  INTEGER NOT NULL,
    pair_id        INTEGER NOT NULL,          -- of word_pairs; that it is there, nobody looks up
    percent        INTEGER NOT NULL           -- of the target word's attention that it got; of a
                           CHECK (percent BETWEEN 0 AND 100), -- word left out: its coverage
    PRIMARY KEY (translation_id, sentence, target_number, source_number)
) STRICT, WITHOUT ROWID;

-- Links are counted up by the service, a group of translations at a time, and
-- down by this, whoever deletes them.
CREATE TRIGGER link_deleted AFTER DELETE ON links BEGIN
    UPDATE word_pairs SET count = count - 1, last_id = nullif(last_id, old.translation_id)
        WHERE id = old.pair_id;
    DELETE FROM word_pairs WHERE id = old.pair_id AND count = 0;
END;

-- Which word was made of which: SELECT * FROM aligned_words WHERE translation_id = ...
CREATE VIEW aligned_words AS
    SELECT l.translation_id, l.sentence, l.source_number, l.target_number, p.source_word,
           p.target_word, l.percent / 100.0 AS weight, p.source_language, p.target_language
    FROM links l JOIN word_pairs p ON p.id = l.pair_id
    WHERE l.target_number >= 0;

-- Source words that no target word looked at.
CREATE VIEW uncovered_words AS
    SELECT l.translation_id, l.sentence, l.source_number, p.source_word,
           l.percent / 100.0 AS coverage, p.source_language, p.target_language
    FROM links l JOIN word_pairs p ON p.id = l.pair_id
    WHERE l.target_number < 0;

-- How often which word was made of which: SELECT * FROM lexicon WHERE source_word = 'bank'
CREATE VIEW lexicon AS
    SELECT source_language, target_language, source_word, target_word, count, last_id
    FROM word_pairs WHERE target_word <> '';
