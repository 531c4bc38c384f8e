/*
 * v1_wish.h - what a request of /v1/translate asks for, once it has been understood.
 *
 *     struct v1_wish wish;
 *     status = v1_wish_read(&wish, service, json, pair, &err); // borrowed from the JSON
 *     ... v1_wish_text(&wish, i) ...
 *
 * Strict: a field that is not known, of another kind or over a limit is refused
 * by its name, with the limit. HTTP and lines ask in the same words.
 */
#ifndef SERVER_HTTP_V1_WISH_H
#define SERVER_HTTP_V1_WISH_H

#include "base/json.h"
#include "server/documents/document.h"
#include "server/http/service.h"

#define V1_GLOSSARY_TERMS 1000
#define V1_TERM_CHARACTERS 64 // of a term, and of its translation

struct v1_wish {
    const json_t *text;  // a text or a list of texts
    const json_t *given; // its translation, of /v1/align; NULL: to be found
    int text_count;
    char source[LANGUAGE_CODE_BYTES], target[LANGUAGE_CODE_BYTES];
    bool is_auto;           // each text's language is to be detected; source is ""
    const char *model;      // NULL: whichever translates the pair
    int beam, n_best;       // 0: the server's; 1
    int deadline_ms;        // 0: the server's
    bool alignment, pieces; // in the answer
    bool store, durable;    // in the journal; true and false
    enum document_format format;
    const json_t *glossary; // terms with their translations; NULL: none
};

/* STATUS_BAD_INPUT, STATUS_TOO_LARGE (over a limit of size), STATUS_NOT_FOUND (no such model).
 * `pair`, "en-fr" or absent, is that of requests that do not name their languages. */
MUST_CHECK enum status v1_wish_read(struct v1_wish *wish, const struct service *service,
                                    const json_t *json, struct slice pair, struct error *err);

/* The same for /v1/align. */
MUST_CHECK enum status v1_wish_read_given(struct v1_wish *wish, const struct service *service,
                                          const json_t *json, struct slice pair, struct error *err);
/* The texts alone. */
MUST_CHECK enum status v1_wish_read_texts(struct v1_wish *wish, const struct service_limits *limits,
                                          const json_t *json, struct error *err);
/* Whether there is a model for a language, and the one that was named. */
MUST_CHECK enum status v1_wish_check_models(const struct v1_wish *wish, const struct pairs *pairs,
                                            const char *source, struct error *err);
/* The glossary, ready; *out is NULL where there is none. STATUS_BAD_INPUT names the term. */
MUST_CHECK enum status v1_wish_glossary(const struct v1_wish *wish, struct arena *arena,
                                        struct glossary **out, struct error *err);
const json_t *v1_wish_text(const struct v1_wish *wish, int i);

#endif
