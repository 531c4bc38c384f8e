/*
 * openapi.h - openapi.json, embedded at build.
 */
#ifndef SERVER_HTTP_OPENAPI_H
#define SERVER_HTTP_OPENAPI_H

extern const char openapi_json[];

#endif
