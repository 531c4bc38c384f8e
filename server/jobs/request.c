/* request.c - what a request waits for. */
#include "server/jobs/request.h"

struct live_model *request_model(const struct request *r)
{
    return r->hops[r->hop];
}

int request_n_best(const struct request *r)
{
    return r->hop == r->hop_count - 1 ? r->n_best : 1;
}
