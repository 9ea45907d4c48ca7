/* Few plans wait at a time: they are searched one by one. */
#include "cmd/log/unanswered.h"

struct waiting {
    uint64_t plan_id;
    int64_t window;
    dfopt_sym knob;
    bool epoch; /* waits for an epoch boundary */
};

static struct waiting *plans_of(struct dl_unanswered *u)
{
    return DFOPT_ROW(&u->plans, struct waiting);
}

static size_t count(const struct dl_unanswered *u)
{
    return DFOPT_ROWS(&u->plans, struct waiting);
}

static void forget(struct dl_unanswered *u, size_t i)
{
    struct waiting *w = plans_of(u);
    w[i] = w[count(u) - 1];
    u->plans.len -= sizeof *w;
}

void dl_unanswered_init(struct dl_unanswered *u, int64_t timeout)
{
    *u =
        (struct dl_unanswered){.timeout = timeout, .clock = INT64_MIN, .delay = -1};
}

void dl_unanswered_free(struct dl_unanswered *u)
{
    dfopt_buf_free(&u->plans);
}

enum dfopt_err dl_unanswered_plan(struct dl_unanswered *u, struct dl_job *j,
                                  const struct dfopt_plan *p)
{
    size_t len;
    const char *when = dfopt_dict_text(j->dict, p->apply_when, &len);
    const struct waiting w = {
        p->plan_id, dl_window_within(p->window), p->knob,
        dfopt_text_is((struct dfopt_text){when, len}, "epoch_boundary")};
    return dfopt_buf_add(&u->plans, &w, sizeof w);
}

bool dl_unanswered_end(struct dl_unanswered *u, uint64_t plan_id, bool ack,
                       dfopt_sym *knob)
{
    struct waiting *w = plans_of(u);
    const size_t n = count(u);
    size_t i = 0;
    while (i < n && w[i].plan_id != plan_id)
        i++;
    if (i == n)
        return false;
    const int64_t delay = u->clock > w[i].window ? u->clock - w[i].window : 0;
    if (ack && w[i].epoch && delay > u->delay)
        u->delay = delay;
    *knob = w[i].knob;
    forget(u, i);
    return true;
}

bool dl_unanswered_drop(struct dl_unanswered *u, dfopt_sym knob)
{
    const struct waiting *w = plans_of(u);
    for (size_t i = 0; i < count(u); i++)
        if (w[i].knob == knob) {
            forget(u, i);
            return true;
        }
    return false;
}

/* Windows that the open trial may take; -1: any number. */
static int64_t limit_of(struct dl_unanswered *u)
{
    const struct waiting *w = plans_of(u);
    bool epoch = false;
    for (size_t i = 0; i < count(u); i++)
        epoch |= w[i].epoch;
    return !epoch                      ? u->timeout
           : u->delay < 0              ? -1
           : 2 * u->delay > u->timeout ? 2 * u->delay
                                       : u->timeout;
}

bool dl_unanswered_clock(struct dl_unanswered *u, int64_t now, dfopt_sym knob,
                         int64_t *window)
{
    struct waiting *w = plans_of(u);
    const int64_t limit = limit_of(u);
    bool ended = false;
    size_t kept = 0;
    now = dl_window_within(now);
    if (now > u->clock)
        u->clock = now;
    for (size_t i = 0; i < count(u); i++) {
        if (limit < 0 || u->clock < w[i].window || u->clock - w[i].window < limit) {
            w[kept++] = w[i];
        } else if (w[i].knob == knob) {
            ended = true;
            *window = w[i].window + limit;
        }
    }
    u->plans.len = kept * sizeof *w;
    return ended;
}
