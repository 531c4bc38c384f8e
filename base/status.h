/*
 * status.h - how every function that can fail says so.
 *
 * It returns an enum status for the program and, if asked, fills a struct
 * error for a person. One list makes the enum and its names; a folder that
 * needs another view (HTTP codes, exit codes) keeps its own table of them.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#define STATUS_LIST(X)                                                                             \
    X(OK)                                                                                          \
    X(NO_MEMORY) /* out of memory */                                                               \
    X(BAD_USAGE) /* the command line is wrong */                                                   \
    X(BAD_INPUT) /* input is malformed */                                                          \
    X(TOO_LARGE) /* input is over a limit */                                                       \
    X(NOT_FOUND) /* not found */                                                                   \
    X(DENIED)    /* not allowed */                                                                 \
    X(BUSY)      /* too much work is waiting */                                                    \
    X(CANCELLED) /* stopped before it was done */                                                  \
    X(BAD_FILE)  /* file is damaged or of another version */                                       \
    X(IO)        /* reading or writing failed */                                                   \
    X(DIVERGED)  /* training produced numbers that are not finite */

enum status {
#define X(name) STATUS_##name,
    STATUS_LIST(X)
#undef X
};

struct error {
    enum status status;
    char text[400]; // a whole sentence, ready to log or to send
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

const char *status_name(enum status status); // "NO_MEMORY"

/* Describe a failure and return its status, so that callers can write
 *     return error_set(err, STATUS_BAD_FILE, "%s: version %u", path, version);
 * err may be NULL when nobody will read the text. A text that does not fit is
 * cut at a character and ends in "...". */
enum status error_set(struct error *err, enum status status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Put what we were doing in front of what went wrong and return its status:
 *     "loading en-de.model" + ": " + "checksum does not match"
 * err must not be NULL here: the status is read from it. */
enum status error_while(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
