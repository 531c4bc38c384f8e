/*
 * language_names.h - English names of ISO 639-1 codes.
 */
#ifndef SERVER_HTTP_LANGUAGE_NAMES_H
#define SERVER_HTTP_LANGUAGE_NAMES_H

/* "French" for "fr"; a code that is not in the table is its own name. */
const char *language_name(const char *code);

#endif
