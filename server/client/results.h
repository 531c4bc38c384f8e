/*
 * results.h - replies become results.
 *
 * Everything is checked on the way, so that whoever has a result may follow it
 * without looking: every index and span is inside of what it points into, and
 * a matrix has the rows and columns that its tokens have. Whatever else comes
 * is VERSO_BAD_REPLY, and *out is NULL.
 */
#ifndef SERVER_CLIENT_RESULTS_H
#define SERVER_CLIENT_RESULTS_H

#include <jansson.h>

#include "server/client/verso_client.h"

/* The JSON of a reply; the caller gives it back by json_decref(). */
enum verso_status verso_parse(json_t **out, const char *bytes, size_t len, struct verso_error *err);

enum verso_status verso_read_translations(struct verso_translations **out, const json_t *json,
                                          const char *const *texts, size_t text_count,
                                          struct verso_error *err);
enum verso_status verso_read_detections(struct verso_detections **out, const json_t *json,
                                        size_t text_count, struct verso_error *err);
enum verso_status verso_read_languages(struct verso_languages **out, const json_t *json,
                                       struct verso_error *err);
enum verso_status verso_read_models(struct verso_models **out, const json_t *json,
                                    struct verso_error *err);
enum verso_status verso_read_stored(struct verso_stored **out, const json_t *json,
                                    struct verso_error *err);
enum verso_status verso_read_health(struct verso_health *out, const json_t *json,
                                    struct verso_error *err);

/* The caller gives it back by verso_free(). */
enum verso_status verso_read_streamed_token(struct verso_streamed_token **out, const json_t *json,
                                            size_t text_count, struct verso_error *err);
enum verso_status verso_copy_file(struct verso_file **out, const char *content_type,
                                  const char *bytes, size_t len, struct verso_error *err);

#endif
