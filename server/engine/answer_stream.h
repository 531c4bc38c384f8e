/*
 * answer_stream.h - an answer as JSON while it is found: its tokens one by one.
 *
 *     struct answer_stream s;
 *     answer_stream_init(&s, vocabulary, &options, on_event, context);
 *     answer_stream_grow(&s, text, &so_far, is_whole, &arena); // what an engine_listener hears
 *     answer_stream_end(&s, &answer);
 *
 *     sentence {"sentence":0,"source":[0,6],"source_tokens":[{"text":"A","span":[0,1]},...]}
 *     token    {"sentence":0,"text":"Un","token":{"text":"Un","span":[0,2],...},"alignment":[...]}
 *     token    {"sentence":0,"text":" chat","token":{"text":"chat","span":[3,7],...},...}
 *     token    {"text":"\n"}
 *
 * "text" is what the answer's text goes on with, white space in front included:
 * all of them together are that text. What is not a sentence's has no token. A
 * word is a token once the next one has begun, so nothing is ever taken back.
 * Where there is no memory for an event, the rest comes with the end.
 */
#ifndef SERVER_ENGINE_ANSWER_STREAM_H
#define SERVER_ENGINE_ANSWER_STREAM_H

#include "base/json.h"
#include "server/engine/answer_json.h"

struct answer_stream {
    const struct vocabulary *vocabulary;
    struct answer_json_options options;
    /* Borrows the data for the call; false: there was no memory. */
    bool (*on_event)(void *context, const char *name, json_t *data);
    void *context;

    size_t source_at; // bytes of the request's text that whole sentences and gaps took
    size_t target_at; // bytes of the answer's text in front of the sentence that grows
    size_t said;      // bytes of the answer's text that were told
    int sentences;    // that are whole
    bool has_begun;   // the sentence that grows was told of
    int tokens;       // of it that were told
    bool is_broken;   // the rest is told at the end
};

void answer_stream_init(struct answer_stream *s, const struct vocabulary *vocabulary,
                        const struct answer_json_options *options,
                        bool (*on_event)(void *context, const char *name, json_t *data),
                        void *context);

/* `text` is the request's. Scratch comes from the arena. */
void answer_stream_grow(struct answer_stream *s, const char *text,
                        const struct engine_sentence *so_far, bool is_whole, struct arena *arena);
/* What was not told before. */
MUST_CHECK bool answer_stream_end(struct answer_stream *s, const struct engine_answer *answer);

#endif
