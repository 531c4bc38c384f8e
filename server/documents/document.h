/*
 * document.h - a text of a format: what of it is to be translated, and the answer put back into it.
 *
 *     struct document document;
 *     status = document_open(&document, &options, text, len, &arena, &err);
 *     ... the engine translates document.engine_text into `found` ...
 *     status = document_answer(&document, vocabulary, &found, &arena, &answer, &err);
 *
 * The answer is one like any other (engine.h): its text is the document in the
 * other language, its spans are bytes of the document and of that.
 *
 * What is held (placeholders, numbers, glossary terms, code in HTML) comes out
 * exactly as it was, or as the glossary says, each exactly once: as a phrase the
 * translation must contain, and where the search cannot, in place of the words
 * that looked at it, or behind the word that looked at what was before it.
 */
#ifndef SERVER_DOCUMENTS_DOCUMENT_H
#define SERVER_DOCUMENTS_DOCUMENT_H

#include "server/documents/glossary.h"
#include "server/documents/html.h"
#include "server/engine/engine.h"

enum document_format { FORMAT_TEXT, FORMAT_HTML };

struct document_options {
    enum document_format format;
    const struct glossary *glossary; // NULL: none
    enum glossary_side side;         // of the glossary, that the text has
};

enum held_kind { HELD_CODE, HELD_NUMBER, HELD_TERM };

struct held {
    enum held_kind kind;
    struct span plain;  // bytes of document.plain
    struct span source; // bytes of the text; with markup between them, that too
    const char *phrase; // what must be in the translation
    const char *text;   // what comes out: bytes of the document's format
    uint32_t phrase_len, text_len;
    bool joins_before, joins_after; // a letter or digit touched it
};

struct document {
    const char *text;
    size_t len;
    enum document_format format;
    struct html_text html; // of FORMAT_HTML; its marks stand in `plain`

    const char *plain; // what is to be translated, NUL-terminated; NULL: the text itself, in which
                       // nothing is held
    size_t plain_len;
    struct text_map map; // of plain, to html.text or text
    struct held *held;   // (held_count) in order
    int held_count;
    struct engine_text engine_text;
};

MUST_CHECK enum status document_open(struct document *document,
                                     const struct document_options *options, const char *text,
                                     size_t len, struct arena *arena, struct error *err);

/* `found` is the engine's answer to engine_text, with the spans of sentences changed in place. */
MUST_CHECK enum status document_answer(const struct document *document,
                                       const struct vocabulary *vocabulary,
                                       const struct engine_answer *found, struct arena *arena,
                                       struct engine_answer *out, struct error *err);

/* All texts of a request: documents[i] is texts[i], and plain[i] is for the engine in its place. */
MUST_CHECK enum status documents_open(const struct document_options *options,
                                      const struct engine_text *texts, int count,
                                      struct arena *arena, struct document **documents,
                                      struct engine_text **plain, struct error *err);
/* out[i] from found[i]; they may be the same. */
MUST_CHECK enum status documents_answer(const struct document *documents, int count,
                                        const struct vocabulary *vocabulary,
                                        const struct engine_answer *found, struct arena *arena,
                                        struct engine_answer *out, struct error *err);

/* How far in a document one is: all 0 at its beginning. */
struct document_place {
    int first_held;  // that begins in or behind the sentence
    int first_mark;  // that no sentence before it has
    uint32_t before; // end of the sentence before it, in the plain text
};

/* A sentence while others are still looked for, as an engine_listener hears it, in their order: in
 * `out` as document_answer will have it. Where something is held in it, or a tag is its own, nothing
 * is certain before it is whole; then, and where it has nothing to say, out has no hypothesis. */
MUST_CHECK enum status document_grow(const struct document *document, struct document_place *place,
                                     const struct vocabulary *vocabulary,
                                     const struct engine_sentence *found, uint32_t next,
                                     bool is_whole, struct arena *arena,
                                     struct engine_sentence *out, struct error *err);

/* Bytes of the text that plain[from,to) came from. */
struct span document_source(const struct document *document, struct span plain);

#endif
