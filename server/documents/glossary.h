/*
 * glossary.h - terms and how they are to be translated.
 *
 *     struct glossary *glossary;
 *     status = glossary_new(&glossary, &arena, &err);
 *     status = glossary_add(glossary, "bank", 4, "rive", 4, &err);
 *     status = glossary_ready(glossary, &err);                      // then share it, and only read
 *     size_t len = glossary_at(glossary, GLOSSARY_TERMS, text, text_len, at, &translation);
 *
 * A term is whole words; the longest that begins at a word wins. A term without
 * capitals is found however it is written; one with capitals only as it is. Any
 * white space within it is as good as another. The translation comes out as
 * the glossary has it, its first letter raised where it begins a sentence.
 * Everything lives in the arena.
 */
#ifndef SERVER_DOCUMENTS_GLOSSARY_H
#define SERVER_DOCUMENTS_GLOSSARY_H

#include <stddef.h>
#include "base/arena.h"
#include "base/status.h"

#define GLOSSARY_TERMS_MAX 10000
#define GLOSSARY_WORDS_MAX 8   // of a term
#define GLOSSARY_BYTES_MAX 256 // of a term, and of a translation

struct glossary;

struct glossary_term {
    const char *term; // not NUL-terminated
    size_t len;
    const char *translation;
    size_t translation_len;
};

MUST_CHECK enum status glossary_new(struct glossary **out, struct arena *arena, struct error *err);
/* Copies. STATUS_BAD_INPUT names the term that cannot be one, or comes twice. */
MUST_CHECK enum status glossary_add(struct glossary *glossary, const char *term, size_t len,
                                    const char *translation, size_t translation_len,
                                    struct error *err);
MUST_CHECK enum status glossary_ready(struct glossary *glossary, struct error *err);
/* Lines "term<TAB>translation", plain or gzipped, into a glossary that is ready; blank lines and
 * those that begin with "#" are passed over. */
MUST_CHECK enum status glossary_load(struct glossary **out, const char *path, struct arena *arena,
                                     struct error *err);

/* What is looked for: the terms, or, in what a first model made, their translations, which are to
 * stay as they are. */
enum glossary_side { GLOSSARY_TERMS, GLOSSARY_TRANSLATIONS };

/* Bytes of the longest that begins at byte `at` of a valid text, where a character begins; 0: none. */
size_t glossary_at(const struct glossary *glossary, enum glossary_side side, const char *text,
                   size_t len, size_t at, struct glossary_term *found);

#endif
