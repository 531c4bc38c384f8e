/*
 * answer.h - hypotheses put together to the answer of a text.
 *
 * For server/engine and for server/documents, which puts other texts in their place.
 */
#ifndef SERVER_ENGINE_ANSWER_H
#define SERVER_ENGINE_ANSWER_H

#include "server/engine/engine.h"

/* The answer for `text` from its sentences, whose translations and texts are set, with the bytes
 * between them; sets each sentence's target. */
MUST_CHECK enum status answer_compose(const char *text, size_t len,
                                      struct engine_sentence *sentences, int count,
                                      struct arena *arena, struct engine_answer *out,
                                      struct error *err);

#endif
