/*
 * routes.h - every path of the server: one table, one file a resource.
 */
#ifndef SERVER_HTTP_ROUTES_H
#define SERVER_HTTP_ROUTES_H

#include "server/http/exchange.h"

void get_page(struct exchange *x); // page.c
void get_web(struct exchange *x);
void get_health(struct exchange *x); // health.c
void get_health_live(struct exchange *x);
void get_health_ready(struct exchange *x);
void get_metrics(struct exchange *x);
void get_languages(struct exchange *x);         // languages.c
void get_frontend_settings(struct exchange *x); // frontend_settings.c
void post_translate(struct exchange *x);        // translate.c
void post_v1_translate(struct exchange *x);     // v1_translate.c
void post_v1_align(struct exchange *x);
void post_v1_stream(struct exchange *x); // v1_stream.c
void get_openapi(struct exchange *x);    // openapi.c
void post_v1_detect(struct exchange *x); // v1_detect.c
void get_v1_models(struct exchange *x);  // v1_models.c
void post_v1_reload(struct exchange *x);
void get_v1_translations(struct exchange *x); // v1_translations.c
void get_v1_translation(struct exchange *x);
void delete_v1_translation(struct exchange *x);
void get_v1_alignment(struct exchange *x); // v1_alignment.c
void get_v1_links(struct exchange *x);     // v1_links.c
void post_detect(struct exchange *x);      // detect.c
void post_suggest(struct exchange *x);     // suggest.c
void get_suggestions(struct exchange *x);  // v1_suggestions.c
void post_accept(struct exchange *x);
void post_reject(struct exchange *x);

/* Fills in x->route and answers, or has it answered. */
void routes_answer(struct exchange *x);

#endif
