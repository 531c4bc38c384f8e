/*
 * lines.h - what a line of text is answered with.
 */
#ifndef SERVER_HTTP_LINES_H
#define SERVER_HTTP_LINES_H

#include "server/http/exchange.h"

void lines_translate(struct exchange *x);   // a sentence
void lines_request(struct exchange *x);     // JSON, as POST /v1/translate takes it: v1_translate.c
void lines_choose_pair(struct exchange *x); // "#!pair en-fr": nothing, or an error

#endif
