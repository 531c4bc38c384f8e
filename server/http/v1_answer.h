/*
 * v1_answer.h - what came of a request, as /v1 says it.
 *
 *     {"model":"en-fr","translations":[{"id":null,"origin":"model","text":"...",...}]}
 *
 * A pair that went through English has "via", and its translations the English
 * text: their source spans are bytes of that. What was not translated, since it
 * is in the target language already, is of no model and "unchanged"; what the
 * client brought, to have it aligned, is "given".
 *
 * On any thread.
 */
#ifndef SERVER_HTTP_V1_ANSWER_H
#define SERVER_HTTP_V1_ANSWER_H

#include "base/json.h"
#include "server/engine/answer_json.h"
#include "server/jobs/request.h"
#include "server/protocol/protocol.h"

/* Of the model whose tokens the answers are; NULL where there is none. */
const struct vocabulary *v1_answer_vocabulary(const struct request *r);
/* {"model":...,"via":...}; NULL: no memory. */
json_t *v1_answer_head(const struct request *r);
/* The i-th translation. Scratch comes from the request's arena; *out is the caller's. */
MUST_CHECK enum status v1_answer_translation(json_t **out, struct request *r, int i,
                                             const struct answer_json_options *options,
                                             struct error *err);
/* The value as bytes in the arena, and its end. STATUS_TOO_LARGE: over REPLY_BYTES_MAX. */
MUST_CHECK enum status v1_answer_write(struct slice *out, struct arena *arena, json_t *value,
                                       struct error *err);

#endif
