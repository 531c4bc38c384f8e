/*
 * verso_client.h - ask a verso server for translations, and why they are as they are.
 *
 *     struct verso_error err;
 *     struct verso_client *client;
 *     struct verso_translations *got;
 *     const char *text = "Good morning";
 *     const struct verso_request request = {
 *         .texts = &text, .text_count = 1, .source = "en", .target = "fr"
 *     };
 *     if (verso_client_new(&client, "127.0.0.1", 5000, NULL, &err) == VERSO_OK) {
 *         if (verso_translate(client, &request, &got, &err) == VERSO_OK) {
 *             puts(got->translations[0].text);
 *             verso_free(got);
 *         } else {
 *             fprintf(stderr, "%s\n", err.text);
 *         }
 *         verso_client_free(client);
 *     }
 *
 * Every call waits for its answer. A client is one connection, kept open and
 * made anew when the server has closed it; one thread uses it at a time, and
 * different clients know nothing of each other. What a call gives is one block
 * of memory, which verso_free() gives back; all pointers in it are into it.
 * Texts are UTF-8 and end in '\0'. Spans are bytes, [from,to).
 *
 * A call that fails leaves its output NULL and says in `err` what is to be
 * done; err may be NULL. Nothing here prints, exits, raises SIGPIPE or keeps
 * anything outside of its client.
 *
 * Fields that are 0, NULL or false in a request are the server's choice: fill
 * it with zeroes first. Link with `pkg-config --libs verso-client`.
 */
#ifndef VERSO_CLIENT_H
#define VERSO_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#define VERSO_API __attribute__((visibility("default")))
#define VERSO_CALL __attribute__((visibility("default"), warn_unused_result))
#else
#define VERSO_API
#define VERSO_CALL
#endif

#define VERSO_TIMEOUT_MS 60000              // unless options say another
#define VERSO_REPLY_BYTES (16u << 20)       // most of a reply, unless options say another
#define VERSO_REQUEST_BYTES_MAX (16u << 20) // of what is sent; the server has limits of its own
#define VERSO_HEAD_BYTES_MAX 65536u         // of a reply's status line and header fields
#define VERSO_ERROR_BYTES 512

enum verso_status {
    VERSO_OK,
    VERSO_BAD_ARGUMENT, // it cannot be asked for like that; nothing was sent
    VERSO_NO_MEMORY,
    VERSO_UNREACHABLE,  // there is no connection, or it broke
    VERSO_TIMED_OUT,    // no answer within the time of the options, or of the server (504)
    VERSO_CANCELLED,    // the callback wanted no more
    VERSO_TOO_LARGE,    // the reply is over reply_bytes_max, or the request over a limit (413)
    VERSO_BAD_REPLY,    // what came is no answer of a verso server
    VERSO_REFUSED,      // the server does not do this: 400 and its like
    VERSO_DENIED,       // there is no key, or it may not do this: 401, 403
    VERSO_NOT_FOUND,    // no such model or translation: 404
    VERSO_BUSY,         // later, perhaps: 429, 503
    VERSO_SERVER_FAILED // 500 and its like
};

struct verso_error {
    enum verso_status status;
    int http_status;              // 0: there was no reply
    int retry_after_s;            // of VERSO_BUSY; 0: the server did not say
    char text[VERSO_ERROR_BYTES]; // a sentence; the server's own where it has answered
};

VERSO_API const char *verso_status_name(enum verso_status status);

/* ---- a connection ---- */

struct verso_client;

struct verso_options {
    const char *api_key;    // NULL: none
    int timeout_ms;         // of a whole call but looking up the host's name; 0: VERSO_TIMEOUT_MS
    size_t reply_bytes_max; // 0: VERSO_REPLY_BYTES. A hostile reply may take a hundred times as
                            // much memory while it is read.
};

/* Nothing is sent yet. host is a name or an address; options may be NULL, and are copied. */
VERSO_CALL enum verso_status verso_client_new(struct verso_client **out, const char *host, int port,
                                              const struct verso_options *options,
                                              struct verso_error *err);
VERSO_API void verso_client_free(struct verso_client *client); // NULL is fine

/* Of what any call below gave; NULL is fine. */
VERSO_API void verso_free(const void *result);

/* ---- translations ---- */

enum verso_format { VERSO_FORMAT_TEXT, VERSO_FORMAT_HTML };
enum verso_level { VERSO_LEVEL_WORD, VERSO_LEVEL_PIECE }; // what a token is

struct verso_term {
    const char *term, *translation;
};

struct verso_request {
    const char *const *texts;
    size_t text_count;
    const char *source, *target; // "en", "fr"; the source may be "auto"
    const char *model;           // NULL: that of the languages
    enum verso_format format;
    enum verso_level level;
    int beam, n_best, deadline_ms; // 0: the server's
    bool alignment;                // with the matrices
    bool not_stored;               // nothing of it is kept
    bool durable;                  // answered when it is on the server's disk
    const struct verso_term *glossary;
    size_t glossary_count;
};

struct verso_span {
    size_t from, to;
};

struct verso_token { // of the translation
    const char *text;
    struct verso_span span; // of the translation's text
    float log_prob;
    float confidence;    // 0 to 1
    const size_t *links; // source tokens it was made of
    size_t link_count;
};

struct verso_source_token {
    const char *text;
    struct verso_span span; // of the text that was sent, or of source_text
    float coverage;         // 1: as much as one token's whole attention
};

/* weights[row * columns + column]: a row a token, a column a source token and one more for the
 * end of the sentence. A row sums to 1. */
struct verso_alignment {
    size_t rows, columns;
    const float *weights; // NULL: it was not asked for
};

struct verso_hypothesis {
    const char *text;
    double score;
    struct verso_alignment alignment;
};

struct verso_sentence {
    struct verso_span source, target;
    double score;
    const struct verso_token *tokens;
    size_t token_count;
    const struct verso_source_token *source_tokens;
    size_t source_token_count;
    struct verso_alignment alignment;
    const struct verso_hypothesis *n_best; // the others, best first
    size_t n_best_count;
};

struct verso_warning {
    const char *kind; // "uncovered", "repetition", "split", "truncated", "not_stored"
    struct verso_span source, target; // empty: not about one
};

struct verso_translation {
    const char *id;     // NULL: not stored
    const char *origin; // "model", "suggestion", "unchanged" or "given"
    const char *text;
    double score;
    const struct verso_sentence *sentences;
    size_t sentence_count;
    const struct verso_warning *warnings;
    size_t warning_count;
    const char *source_text; // what source spans are bytes of; NULL: of the text that was sent
    const char *detected_language; // of "auto"; else NULL
    double detected_confidence;
    const char *model, *via; // of this text alone, where the source was "auto"; else NULL
};

struct verso_translations {
    const char *model;                            // NULL: none was needed, or texts had several
    const char *via;                              // the language between two models, or NULL
    const struct verso_translation *translations; // one a text, in their order
    size_t translation_count;
};

VERSO_CALL enum verso_status verso_translate(struct verso_client *client,
                                             const struct verso_request *request,
                                             struct verso_translations **out,
                                             struct verso_error *err);

/* What the translation goes on with: a token that can no longer change, or what is between sentences.
 * It lasts as long as the callback. */
struct verso_streamed_token {
    size_t index, sentence;          // of the text in the request, of the sentence in the text
    const char *text;                // those of an index, joined, are its translation
    const struct verso_token *token; // NULL: of no sentence
    const float *alignment;          // its row; NULL: not asked for
    size_t alignment_count;
};

/* Not 0: no more is wanted. The call returns VERSO_CANCELLED, and the server stops working on it. */
typedef int verso_on_token(void *context, const struct verso_streamed_token *token);

/* The same while it is found: tokens as they come, and in the end all that verso_translate() gives.
 * Texts of several languages cannot be streamed together. */
VERSO_CALL enum verso_status verso_translate_stream(struct verso_client *client,
                                                    const struct verso_request *request,
                                                    verso_on_token *on_token, void *context,
                                                    struct verso_translations **out,
                                                    struct verso_error *err);

/* A text and its translation, each one sentence, that someone else has made. */
struct verso_pair {
    const char *source_text, *target_text;
    const char *source, *target; // languages
    const char *model;
    enum verso_level level;
    int deadline_ms;
};

/* Gives one translation, as if it had been found, with its alignment and log-probabilities. */
VERSO_CALL enum verso_status verso_align(struct verso_client *client, const struct verso_pair *pair,
                                         struct verso_translations **out, struct verso_error *err);

/* ---- languages ---- */

struct verso_candidate {
    const char *language;
    double confidence; // 0 to 1
};

struct verso_detection {
    const char *language; // NULL: none that is known
    double confidence;
    const struct verso_candidate *candidates; // best first
    size_t candidate_count;
};

struct verso_detections {
    const struct verso_detection *detections; // one a text, in their order
    size_t detection_count;
};

VERSO_CALL enum verso_status verso_detect(struct verso_client *client, const char *const *texts,
                                          size_t text_count, struct verso_detections **out,
                                          struct verso_error *err);

struct verso_language {
    const char *code, *name;
    const char *const *targets; // codes that it can be translated into
    size_t target_count;
};

struct verso_languages {
    const struct verso_language *languages;
    size_t language_count;
};

VERSO_CALL enum verso_status verso_languages(struct verso_client *client,
                                             struct verso_languages **out, struct verso_error *err);

/* ---- what the server has ---- */

struct verso_model {
    const char *name, *source, *target, *state;
    const char *digest; // 64 hex digits
    const char *card;   // JSON: what its maker says of it; NULL: nothing
    size_t vocabulary, embedding, hidden, attention, encoder_layers, decoder_layers;
};

struct verso_models {
    const struct verso_model *models;
    size_t model_count;
};

VERSO_CALL enum verso_status verso_models(struct verso_client *client, struct verso_models **out,
                                          struct verso_error *err);

struct verso_health {
    bool is_ready; // false: it is stopping
    bool is_storing;
    size_t models;
};

VERSO_CALL enum verso_status verso_health(struct verso_client *client, struct verso_health *out,
                                          struct verso_error *err);

struct verso_stored {
    const char *id, *created, *origin, *model, *via, *source, *target; // via: NULL where none
    const char *source_text, *target_text; // NULL: the server keeps no text
    size_t source_length, target_length;   // characters
    size_t beam;
    double took_ms;
    const struct verso_translation *answer; // with its matrices; NULL: the server keeps no text
};

VERSO_CALL enum verso_status verso_stored(struct verso_client *client, const char *id,
                                          enum verso_level level, struct verso_stored **out,
                                          struct verso_error *err);

struct verso_picture {
    const char *form;   // "svg", "png", "html", "json", "csv" or "txt"
    size_t sentence, n; // which sentence and which hypothesis of it, from 0
    enum verso_level level;
    bool ribbons, dark;
};

struct verso_file {
    const char *content_type;
    const char *bytes; // a '\0' is behind them
    size_t len;
};

/* The alignment of a stored translation as a file. */
VERSO_CALL enum verso_status verso_alignment_file(struct verso_client *client, const char *id,
                                                  const struct verso_picture *picture,
                                                  struct verso_file **out, struct verso_error *err);

#ifdef __cplusplus
}
#endif

#endif
