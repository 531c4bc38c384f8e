/*
 * sentence.h - a translated sentence put back: what is held in its place, tags around the words
 * that look at those they surrounded.
 *
 *     struct sentence_context context = { .document = d, ... };
 *     for each sentence of the answer, in order:
 *         sentence_context_move(&context, sentence->source);
 *         status = sentence_put_back(&context, sentence, next_from, &err);
 *
 * Private to server/documents.
 */
#ifndef SERVER_DOCUMENTS_SENTENCE_H
#define SERVER_DOCUMENTS_SENTENCE_H

#include "server/documents/document.h"

struct sentence_context {
    const struct document *document;
    const struct vocabulary *vocabulary;
    struct arena *arena;
    struct document_place place;
};

/* To a sentence, the next or one further on. */
void sentence_context_move(struct sentence_context *context, struct span plain);

/* Nothing is held in it, and no tag is its own: its words stay as the model says them. */
bool sentence_is_bare(struct sentence_context *context, const struct engine_sentence *sentence,
                      uint32_t next);

/* Its spans become bytes of the document, its texts bytes of the answer; `next` is where the next
 * sentence of the plain text begins, or its end. */
MUST_CHECK enum status sentence_put_back(struct sentence_context *context,
                                         struct engine_sentence *sentence, uint32_t next,
                                         struct error *err);

#endif
