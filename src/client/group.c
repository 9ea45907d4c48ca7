/* Boundaries of several processes. Rank 0's result reaches all ranks before any of
 * them acts. A failing callback ends the call on its rank only, which is then out
 * of step; with MPI's default error handler the job has already aborted. */
#include "dfopt/client_group.h"
#include "client/impl.h"

#include <stdio.h>
#include <string.h>

#define MAGIC       UINT32_C(0x64666f31) /* identifies this layout */
#define REASON_SIZE 140
#define PACKED      ((REASON_SIZE + 6) / 7) /* 7 bytes a value: stays positive */

/* The first broadcast of rank 0. */
struct head {
    uint32_t magic, bytes;
    uint64_t n;
    char spare[DFOPT_CLIENT_GROUP_BYTES - 16];
};
_Static_assert(sizeof(struct head) == DFOPT_CLIENT_GROUP_BYTES, "as documented");

static void point(struct dfopt_client_agreed *a)
{
    a->plan.knob_id = a->knob_id;
    a->plan.parameter = a->parameter;
    a->plan.function = a->function;
}

static void keep(char out[DFOPT_CLIENT_TEXT_SIZE], const char *text)
{
    snprintf(out, DFOPT_CLIENT_TEXT_SIZE, "%s", text);
}

/* Rank 0: takes one plan and makes it self-contained. */
static bool take(dfopt_client *c, const struct dfopt_client_group *g,
                 const char *function, const char *boundary,
                 struct dfopt_client_agreed *out, bool may_wait)
{
    struct dfopt_client_plan *p = &out->plan;
    memset(out, 0, sizeof *out);
    if (!(may_wait && g->wait_ms > 0
              ? dfopt_client_at_boundary_wait(c, function, boundary, p, 1,
                                              g->wait_ms)
              : dfopt_client_at_boundary(c, function, boundary, p, 1)))
        return false;
    keep(out->knob_id, p->knob_id);
    keep(out->parameter, p->parameter);
    keep(out->function, p->function);
    point(out);
    return true;
}

enum dfopt_err dfopt_client_at_boundary_group(
    dfopt_client *c, const struct dfopt_client_group *g, const char *function,
    const char *boundary, struct dfopt_client_agreed *out, size_t max, size_t *n)
{
    if (!g || !out || !n)
        return DFOPT_ERR_ARG;
    struct head head = {.magic = MAGIC, .bytes = sizeof *out};
    *n = 0;
    if (g->rank == 0)
        dfopt_client_head(c);
    if (g->rank == 0)
        while (head.n < max &&
               take(c, g, function, boundary, &out[head.n], head.n == 0))
            head.n++;
    if (g->broadcast(g->arg, &head, sizeof head) != 0)
        return DFOPT_ERR_IO;
    if (head.magic != MAGIC || head.bytes != sizeof *out)
        return DFOPT_ERR_STATE;
    for (uint64_t i = 0; i < head.n; i++) {
        struct dfopt_client_agreed none, *at = i < max ? &out[i] : &none;
        if (g->broadcast(g->arg, at, sizeof *at) != 0)
            return DFOPT_ERR_IO;
        point(at);
    }
    if (head.n > max)
        return DFOPT_ERR_ARG;
    *n = (size_t)head.n;
    return DFOPT_OK;
}

/* ---- acks ---- */

static void pack(int64_t values[PACKED], const char *text)
{
    const size_t len = strlen(text);
    memset(values, 0, PACKED * sizeof *values);
    for (size_t i = 0; i < len && i < REASON_SIZE - 1; i++)
        values[i / 7] |= (int64_t)(unsigned char)text[i] << 8 * (i % 7);
}

static void unpack(char text[REASON_SIZE], const int64_t values[PACKED])
{
    for (size_t i = 0; i < REASON_SIZE; i++)
        text[i] = (char)(unsigned char)(values[i / 7] >> 8 * (i % 7) & 0xff);
    text[REASON_SIZE - 1] = '\0';
}

/* Gives every rank the reason of the last rank that failed. */
static enum dfopt_err share_reason(const struct dfopt_client_group *g,
                                   const char *why_not, int64_t worst,
                                   char reason[REASON_SIZE + 32])
{
    int64_t values[PACKED];
    char text[REASON_SIZE];
    pack(values, why_not && worst == (int64_t)g->rank + 1 ? why_not : "");
    if (g->maximum(g->arg, values, PACKED) != 0)
        return DFOPT_ERR_IO;
    unpack(text, values);
    snprintf(reason, REASON_SIZE + 32, "rank %lld: %s", (long long)worst - 1, text);
    return DFOPT_OK;
}

enum dfopt_err dfopt_client_ack_group(dfopt_client *c,
                                      const struct dfopt_client_group *g,
                                      const struct dfopt_client_agreed *plan,
                                      const char *why_not, int64_t window_index,
                                      bool *all)
{
    if (!g || !plan || !all)
        return DFOPT_ERR_ARG;
    int64_t worst = why_not ? (int64_t)g->rank + 1 : 0;
    char reason[REASON_SIZE + 32] = "";
    *all = false;
    if (g->maximum(g->arg, &worst, 1) != 0)
        return DFOPT_ERR_IO;
    *all = worst == 0;
    enum dfopt_err e = *all ? DFOPT_OK : share_reason(g, why_not, worst, reason);
    if (e || g->rank != 0 || !c)
        return e;
    struct dfopt_client_plan p = plan->plan;
    p.knob_id = plan->knob_id;
    p.parameter = plan->parameter;
    p.function = plan->function;
    return dfopt_client_ack(c, &p,
                            *all ? DFOPT_CLIENT_APPLIED : DFOPT_CLIENT_REJECTED,
                            NULL, reason, window_index);
}
