/* Each node remembers its latest window and the registrations that it has seen. */
#include "cmd/log/restarts.h"

#include <stdlib.h>

struct dl_restart_site {
    uint64_t generation; /* of the last event */
    int64_t clock;       /* 1 + its latest window since the start; 0: none */
    bool named;          /* a registration has named it since the last event */
};

enum dfopt_err dl_restarts_init(struct dl_restarts *r,
                                const struct dfopt_dict *dict)
{
    const size_t n = (size_t)dfopt_dict_strings(dict) + 1;
    r->known = calloc(n, sizeof *r->known);
    r->sites = calloc(n, sizeof *r->sites);
    return r->known && r->sites ? DFOPT_OK : DFOPT_ERR_NOMEM;
}

void dl_restarts_free(struct dl_restarts *r)
{
    free(r->known);
    free(r->sites);
    *r = (struct dl_restarts){0};
}

void dl_restarts_knob(struct dl_restarts *r, dfopt_sym knob, dfopt_sym node,
                      bool of_node, bool told)
{
    const bool again = r->known[knob] && told;
    r->known[knob] = true;
    if (again && node == DFOPT_SYM_EMPTY)
        r->generation++;
    else if (again && of_node)
        r->sites[node].named = true;
}

bool dl_restarts_event(struct dl_restarts *r, dfopt_sym node, int64_t window)
{
    struct dl_restart_site *s = &r->sites[node];
    const int64_t now = dl_window_within(window) + 1;
    const bool named = s->named;
    const bool check = named || s->generation != r->generation;
    const bool jumped = s->clock > 0 && (now < s->clock - 1 || now > s->clock + 1);
    s->generation = r->generation;
    s->named = false;
    s->clock = check && jumped ? now : now > s->clock ? now : s->clock;
    return check && jumped && !named;
}
