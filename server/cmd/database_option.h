/*
 * database_option.h - the option of commands that look into a service's database.
 */
#ifndef SERVER_CMD_DATABASE_OPTION_H
#define SERVER_CMD_DATABASE_OPTION_H

#include <errno.h>
#include <string.h>

#include "server/cmd/options.h"
#include "server/store/db.h"

#define DATABASE_OPTION                                                                            \
    {                                                                                              \
        "database", OPTION_TEXT, .environment = true, .value = "FILE", .fallback = "verso.db",     \
                                 .help = "of the service, which may be running"                    \
    }

/* Of a file that is there. */
static inline enum status database_open(struct db **out, const struct options *o, struct error *err)
{
    return db_open_existing(out, options_text(o, "database"), err);
}

/* For the end: what was printed has to be written too. */
static inline enum status flush_output(enum status status, struct error *err)
{
    if (fflush(stdout) != 0 && status == STATUS_OK)
        return error_set(err, STATUS_IO, "writing: %s", strerror(errno));
    return status;
}

#endif
