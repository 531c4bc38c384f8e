/*
 * migrations.h - the schema's history, as the build embedded it from this folder.
 */
#ifndef MIGRATIONS_MIGRATIONS_H
#define MIGRATIONS_MIGRATIONS_H

struct migration {
    const char *name; // "0001_vocabularies": the file's name without its ending
    const char *sql;  // the whole file, NUL-terminated
};

/* In order; the last one has a NULL name. */
extern const struct migration migrations[];

#endif
