/*
 * shortlist_option.c - --shortlist of what translates.
 */
#include "server/cmd/shortlist_option.h"

#include <stdlib.h>
#include <string.h>

#include "model/shortlist.h"

enum status shortlist_from_options(int *per_piece, const struct options *o, struct error *err)
{
    const char *text = options_text(o, "shortlist");
    char *end;
    if (strcmp(text, "off") == 0) {
        *per_piece = 0;
        return STATUS_OK;
    }
    const long count = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || count < 1 || count > SHORTLIST_ROW_MAX)
        return error_set(err, STATUS_BAD_USAGE,
                         "--shortlist %s: it must be \"off\" or a number of 1 to %d", text,
                         SHORTLIST_ROW_MAX);
    *per_piece = (int)count;
    return STATUS_OK;
}
