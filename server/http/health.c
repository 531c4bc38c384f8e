/* health.c - GET /health: the server answers. */
#include "server/http/routes.h"

void get_health(struct exchange *x)
{
    exchange_json(x, 200, json_pack("{s:s}", "status", "ok"));
}
