/*
 * database_option.c - commands that look into a service's database.
 */
#include "server/cmd/database_option.h"

#define ARENA_BYTES ((size_t)1 << 30)

int database_ask(const struct options *o,
                 enum status (*ask)(struct db *db, const struct options *o, struct arena *arena,
                                    struct error *err))
{
    struct error err;
    struct db *db;
    struct arena arena = { 0 };
    enum status status = db_open_existing(&db, options_text(o, "database"), &err);
    if (status == STATUS_OK && !arena_init(&arena, ARENA_BYTES))
        status = error_set(&err, STATUS_NO_MEMORY, "no memory to read the database");
    if (status == STATUS_OK)
        status = ask(db, o, &arena, &err);
    status = output_flush(status, &err);
    arena_release(&arena);
    db_close(db);
    return options_finish(o, status, &err);
}
