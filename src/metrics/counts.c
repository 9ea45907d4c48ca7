/* Counting. A bucket holds only its own observations; text.c accumulates them. */
#include "metrics/counts.h"

#include "base/names.h"
#include "json/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const double dfopt_latency_bounds[DFOPT_LATENCY_BUCKETS] = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
    0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
const double dfopt_gain_bounds[DFOPT_GAIN_BUCKETS] = {
    -0.5, -0.2, -0.1, -0.05, -0.02, 0, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2};

DFOPT_NAME_FUNCTION(dfopt_ending_name, DFOPT_ENDING_LIST, DFOPT_NAME_TEXT)

/* ---- labels ---- */

static void labels_init(struct dfopt_labels *l)
{
    *l = (struct dfopt_labels){.name = {"other"}, .n = 1};
}

static void labels_free(struct dfopt_labels *l)
{
    for (uint32_t i = 1; i < l->n; i++)
        free((void *)(uintptr_t)l->name[i]);
    dfopt_symmap_free(&l->row_of);
    labels_init(l);
}

void dfopt_counts_init(struct dfopt_counts *c)
{
    *c = (struct dfopt_counts){.n_ranks = 1};
    labels_init(&c->knob_names);
    labels_init(&c->reasons);
}

void dfopt_counts_free(struct dfopt_counts *c)
{
    labels_free(&c->knob_names);
    labels_free(&c->reasons);
}

/* Makes a text valid for every metrics reader. */
static void clean(const char *text, size_t len, char out[DFOPT_LABEL_BYTES + 1])
{
    const char *at = text, *end = text + len;
    size_t n = 0;
    while (at < end) {
        const size_t size = dfopt_utf8_char(at, end);
        const bool fine = size > 1 || (size == 1 && *at != '\0');
        const size_t bytes = fine ? size : 1;
        if (n + bytes > DFOPT_LABEL_BYTES)
            break;
        memcpy(out + n, fine ? at : "?", bytes);
        n += bytes;
        at += bytes;
    }
    out[n] = '\0';
}

/* Two names may be equal once cleaned. */
static uint32_t find(const struct dfopt_labels *l, const char *name)
{
    uint32_t i = 0;
    while (i < l->n && strcmp(l->name[i], name) != 0)
        i++;
    return i;
}

uint32_t dfopt_label_row(struct dfopt_labels *l, const struct dfopt_dict *dict,
                         dfopt_sym name)
{
    char text[DFOPT_LABEL_BYTES + 1];
    size_t len;
    if (name == DFOPT_SYM_NONE)
        return DFOPT_LABEL_OTHER;
    uint32_t row = dfopt_symmap_get(&l->row_of, name);
    if (row != DFOPT_SYMMAP_NONE)
        return row;
    const char *given = dfopt_dict_text(dict, name, &len);
    clean(given, len, text);
    row = find(l, text);
    char *copy = row == l->n && row <= DFOPT_LABELS ? strdup(text) : NULL;
    if (copy)
        l->name[l->n++] = copy;
    else if (row == l->n)
        row = DFOPT_LABEL_OTHER;
    (void)dfopt_symmap_set(&l->row_of, name, row); /* on failure: looked up again */
    return row;
}

struct dfopt_rank_counts *dfopt_counts_rank(struct dfopt_counts *c, uint32_t rank)
{
    return &c->ranks[rank < DFOPT_LABELS ? rank + 1 : DFOPT_LABEL_OTHER];
}

/* ---- counting ---- */

/* The first bucket whose bound is at or above the value. */
static uint32_t bucket(const double *bounds, uint32_t n, double value)
{
    uint32_t i = 0;
    while (i < n && value > bounds[i])
        i++;
    return i;
}

void dfopt_counts_latency(struct dfopt_counts *c, int64_t ns)
{
    const double s = ns > 0 ? (double)ns / 1e9 : 0;
    c->latency[bucket(dfopt_latency_bounds, DFOPT_LATENCY_BUCKETS, s)]++;
    c->latency_sum_s += s;
}

void dfopt_counts_reject(struct dfopt_counts *c, const struct dfopt_dict *dict,
                         dfopt_sym reason)
{
    c->rejects[dfopt_label_row(&c->reasons, dict, reason)]++;
}

static void count_outcome(struct dfopt_counts *c, const struct dfopt_dict *dict,
                          const struct dfopt_outcome_row *o)
{
    struct dfopt_knob_counts *k =
        &c->knobs[dfopt_label_row(&c->knob_names, dict, o->knob)];
    if (o->verdict == DFOPT_VERDICT_WITHDRAWN)
        return; /* never on trial */
    k->endings[o->verdict == DFOPT_VERDICT_NEUTRAL ? DFOPT_ENDING_NEUTRAL
               : o->kept                           ? DFOPT_ENDING_KEPT
                                                   : DFOPT_ENDING_REVERTED]++;
    if (!isnan(o->gain))
        k->gains[bucket(dfopt_gain_bounds, DFOPT_GAIN_BUCKETS, o->gain)]++;
}

void dfopt_counts_decisions(struct dfopt_counts *c, const struct dfopt_dict *dict,
                            const struct dfopt_decisions *d)
{
    const struct dfopt_verdict_row *v =
        DFOPT_ROW(&d->verdicts, const struct dfopt_verdict_row);
    const struct dfopt_plan *p = DFOPT_ROW(&d->plans, const struct dfopt_plan);
    const struct dfopt_ack_row *a = DFOPT_ROW(&d->acks, const struct dfopt_ack_row);
    const struct dfopt_relay_row *r =
        DFOPT_ROW(&d->relays, const struct dfopt_relay_row);
    const struct dfopt_outcome_row *o =
        DFOPT_ROW(&d->outcomes, const struct dfopt_outcome_row);
    for (size_t i = 0; i < DFOPT_ROWS(&d->verdicts, struct dfopt_verdict_row); i++)
        if (v[i].verdict < DFOPT_VERDICT_COUNT)
            c->verdicts[v[i].verdict]++;
    for (size_t i = 0; i < DFOPT_ROWS(&d->plans, struct dfopt_plan); i++)
        if (p[i].relay_id == DFOPT_SYM_NONE)
            c->knobs[dfopt_label_row(&c->knob_names, dict, p[i].knob)].plans++;
    for (size_t i = 0; i < DFOPT_ROWS(&d->acks, struct dfopt_ack_row); i++)
        if (a[i].outcome < DFOPT_ACK_OUTCOME_COUNT)
            c->acks[a[i].outcome]++;
    for (size_t i = 0; i < DFOPT_ROWS(&d->relays, struct dfopt_relay_row); i++)
        if (r[i].outcome < DFOPT_RELAY_COUNT)
            c->relays[r[i].outcome]++;
    for (size_t i = 0; i < DFOPT_ROWS(&d->outcomes, struct dfopt_outcome_row); i++)
        count_outcome(c, dict, &o[i]);
}
