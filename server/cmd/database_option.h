/*
 * database_option.h - the option of commands that look into a service's database.
 */
#ifndef SERVER_CMD_DATABASE_OPTION_H
#define SERVER_CMD_DATABASE_OPTION_H

#include "base/arena.h"
#include "server/cmd/options.h"
#include "server/store/db.h"

#define DATABASE_OPTION                                                                            \
    {                                                                                              \
        "database", OPTION_TEXT, .environment = true, .value = "FILE", .fallback = "verso.db",     \
                                 .help = "of the service, which may be running"                    \
    }

/* A whole command: opens the database, lets `ask` print what is wanted, with an arena of which what
 * is not touched costs nothing, and closes it. Returns the exit code. */
int database_ask(const struct options *o,
                 enum status (*ask)(struct db *db, const struct options *o, struct arena *arena,
                                    struct error *err));

#endif
