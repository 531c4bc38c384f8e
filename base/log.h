/*
 * log.h - one line of JSON an event, on standard error or wherever it is told.
 *
 *     log_event(LOG_INFO, "model_loaded", "name", LOG_TEXT(name), "ms", LOG_NUMBER(ms), NULL);
 *     {"time":"2026-11-23T09:56:00.123Z","level":"info","event":"model_loaded","name":"en-fr","ms":31}
 *
 * Fields are pairs of a name and a LOG_* value, ended by NULL. Lines of
 * several threads never mix. No user text goes in here: ids, counts, times.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdio.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_NOTHING };

struct log_value {
    const char *text; // NULL: it is a number
    double number;
};

#define LOG_TEXT(value) (&(struct log_value){ .text = (value) })
#define LOG_NUMBER(value) (&(struct log_value){ .number = (double)(value) })

void log_set_level(enum log_level lowest); // below it nothing is written; LOG_INFO at first
void log_set_file(FILE *file);             // stderr at first; borrowed

/* name, const struct log_value *, name, const struct log_value *, ..., NULL */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));

#endif
