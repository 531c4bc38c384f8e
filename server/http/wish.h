/*
 * wish.h - what a request of POST /translate asks for, once it has been understood.
 *
 *     struct wish wish;
 *     status = wish_read(&wish, service, parameters, &err);     // in LibreTranslate's order
 *     for (int i = 0; i < wish.text_count; i++) ... wish_text(&wish, i) ...
 *
 * It borrows from the parameters. Each failure is STATUS_BAD_INPUT with
 * LibreTranslate's text; /suggest and /detect use the same checks.
 */
#ifndef SERVER_HTTP_WISH_H
#define SERVER_HTTP_WISH_H

#include "base/json.h"
#include "server/http/service.h"

struct wish {
    const json_t *q; // a text or a list of texts
    int text_count;
    bool is_auto;                     // each text's language is to be detected
    char source[LANGUAGE_CODE_BYTES]; // unless is_auto
    char target[LANGUAGE_CODE_BYTES];
    int alternatives;
    enum document_format format;
};

MUST_CHECK enum status wish_read(struct wish *wish, const struct service *service, const json_t *p,
                                 struct error *err);
const json_t *wish_text(const struct wish *wish, int i);

/* needed is ended by NULL; "", [], null and false are missing. */
MUST_CHECK enum status wish_check_present(const json_t *p, const char *const *needed,
                                          struct error *err);
/* The texts of q, and whether they are within the limits. */
MUST_CHECK enum status wish_read_texts(struct wish *wish, const struct service *service,
                                       const json_t *p, struct error *err);
/* A language that some model here has. */
MUST_CHECK enum status wish_language(const json_t *p, const char *name, const struct pairs *pairs,
                                     char code[LANGUAGE_CODE_BYTES], struct error *err);
MUST_CHECK enum status wish_check_pair(const struct pairs *pairs, const char *source,
                                       const char *target, struct error *err);

#endif
