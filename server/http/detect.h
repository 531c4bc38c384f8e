/*
 * detect.h - the language of a text, for POST /detect and for "source": "auto".
 */
#ifndef SERVER_HTTP_DETECT_H
#define SERVER_HTTP_DETECT_H

#include "base/json.h"
#include "server/http/pairs.h"
#include "server/registry/live_detector.h"

#define DETECT_CANDIDATE_MIN 0.05f // less likely languages are not named

/* Says that `what` needs a detector and the server has none. */
enum status detect_missing(const char *what, struct error *err);

/* Any thread. A text that is in no known language is English with confidence 0. */
MUST_CHECK enum status detect_language(struct live_detector *live, const char *text, size_t len,
                                       struct arena *arena, char language[LANGUAGE_CODE_BYTES],
                                       double *confidence, struct error *err);

/* 0.954 is 95.4. NULL: no memory. */
json_t *detect_percent(double confidence);

#endif
