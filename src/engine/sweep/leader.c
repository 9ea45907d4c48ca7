/* Rank 0 of a sweep. Invariant: rank 0 always waits for every worker's last frame
 * and keeps all results that arrived before it. */
#include "engine/sweep/sweep.h"

#include "engine/batch/answer.h"
#include "engine/sweep/frames.h"
#include "engine/sweep/block.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PROGRESS_NS 250000000
#define NAP_NS      500000

struct other_rank {
    struct dfopt_outbox out;
    struct dfopt_sweep_ready ready;
    bool is_ready, left;
    unsigned blocks; /* in flight */
};

struct leader {
    struct dfopt_comm *comm;
    const struct dfopt_sweep_config *config;
    struct dfopt_recording *recording;
    const struct dfopt_variant_world *world;
    struct other_rank *workers; /* owned; by rank */
    int size;
    bool *done;       /* owned; by variant: handed out or not needed */
    size_t next;      /* all variants before it are handed out */
    size_t left;      /* to hand out */
    size_t undecided; /* handed out or not */
    size_t decided;   /* in this run */
    struct dfopt_variant_block block;
    struct dfopt_buf in, result;
    const struct dfopt_policy **policies; /* owned; scratch of a block */
    uint64_t *numbers;                    /* owned; scratch of a block */
    int64_t shown_ns;
    enum dfopt_err status; /* the first failure */
    struct dfopt_error err;
};

static void fail(struct leader *l, enum dfopt_err e, const struct dfopt_error *err)
{
    if (!e || l->status)
        return;
    l->status = e;
    if (err && err->code)
        l->err = *err;
    else
        dfopt_error_set(&l->err, e, "%s", dfopt_err_text(e));
}

static bool stopped(const struct leader *l)
{
    return l->config->input.stop && *l->config->input.stop;
}

/* ---- start ---- */

static enum dfopt_err put_start(struct leader *l, struct dfopt_frame *f)
{
    const struct dfopt_sweep_config *c = l->config;
    /* the last variant has the metrics of all */
    const struct dfopt_policy none = {
        .metrics = c->n_variants ? c->policies[c->n_variants - 1].metrics
                                 : (struct dfopt_metric_names){{0}}};
    const struct dfopt_sweep_start start = {
        .max_record_bytes = c->input.max_record_bytes, .strict = c->input.strict};
    enum dfopt_err e = dfopt_frame_names(f, 1, 1);
    if (!e)
        e = dfopt_frame_config(f, &none, c->world->assumed_acks,
                               c->world->relay_hostname);
    if (!e)
        e = dfopt_frame_item(f, DFOPT_ITEM_SWEEP_START, &start, sizeof start);
    for (size_t i = 0; i < c->input.n && !e; i++)
        e = dfopt_frame_item(f, DFOPT_ITEM_TEXT, c->input.patterns[i],
                             strlen(c->input.patterns[i]));
    for (size_t i = 0; i < c->world->n_initial && !e; i++)
        e = dfopt_frame_registration(f, 0, &c->world->initial[i]);
    return e;
}

/* A worker that misses the frame would wait forever: a failure is fatal. */
static void send_or_abort(struct leader *l, int to, struct dfopt_frame *f,
                          enum dfopt_frame_kind kind, enum dfopt_err e)
{
    struct dfopt_error err = {0};
    if (!e)
        e = dfopt_outbox_send(&l->workers[to].out, l->comm, to, f, kind, &err);
    if (e)
        dfopt_comm_lost(l->comm, to, e, &err);
}

static enum dfopt_err begin_frame(struct leader *l, int to, struct dfopt_frame *f)
{
    return dfopt_outbox_begin(&l->workers[to].out, l->comm, l->config->world->dict,
                              f, NULL);
}

static void send_start(struct leader *l, int to)
{
    struct dfopt_frame f;
    enum dfopt_err e = begin_frame(l, to, &f);
    if (!e)
        e = put_start(l, &f);
    send_or_abort(l, to, &f, DFOPT_FRAME_SWEEP, e);
}

static void check_ready(struct leader *l, int rank)
{
    const struct dfopt_sweep_ready *is = &l->workers[rank].ready;
    struct dfopt_error err;
    if (is->records == l->recording->records &&
        is->digest == l->recording->digest &&
        is->findings == dfopt_recording_findings(l->recording))
        return;
    fail(l,
         dfopt_error_set(&err, DFOPT_ERR_IO,
                         "rank %d read a different input than rank 0 (%" PRIu64
                         " records, not %" PRIu64
                         "): all ranks must see the same files",
                         rank, is->records, l->recording->records),
         &err);
}

/* ---- results ---- */

static void keep(struct leader *l, const void *result, size_t len)
{
    struct dfopt_error err = {0};
    fail(l, l->config->keep(l->config->arg, result, len, &err), &err);
    l->undecided--;
    l->decided++;
}

static void take_failed(struct leader *l, int from, const struct dfopt_item *item)
{
    struct dfopt_error err;
    fail(l, dfopt_answer_failed(from, item->data, item->size, &err), &err);
}

static void take_items(struct leader *l, int from, struct dfopt_frame_reader *in)
{
    struct other_rank *p = &l->workers[from];
    struct dfopt_item item;
    enum dfopt_err e = DFOPT_OK;
    while (dfopt_frame_next(in, &item, &e)) {
        if (item.kind == DFOPT_ITEM_SWEEP_RESULT)
            keep(l, item.data, item.size);
        else if (item.kind == DFOPT_ITEM_TEXT)
            take_failed(l, from, &item);
        else if (item.kind == DFOPT_ITEM_SWEEP_READY &&
                 item.size == sizeof p->ready)
            memcpy(&p->ready, item.data, sizeof p->ready);
        else
            fail(l, DFOPT_ERR_FORMAT, NULL);
    }
    fail(l, e, NULL);
}

/* Receives the frames that have arrived; `wait`: at least one. */
static void receive(struct leader *l, bool wait)
{
    for (;; wait = false) {
        struct dfopt_frame_reader in;
        struct dfopt_error err = {0};
        int from;
        enum dfopt_err e =
            dfopt_comm_receive(l->comm, DFOPT_RANK_ANY, wait, &l->in, &from, &err);
        if (!e && from < 0)
            return;
        if (!e)
            e = dfopt_frame_open(&in, l->in.data, l->in.len, &err);
        if (e) { /* a corrupt frame may be from any rank */
            dfopt_comm_lost(l->comm, 0, e, &err);
            return;
        }
        struct other_rank *p = &l->workers[from];
        p->is_ready |= in.header.kind == DFOPT_FRAME_SWEEP_READY;
        p->blocks -= in.header.kind == DFOPT_FRAME_SWEEP_RESULT;
        p->left |= in.header.kind == DFOPT_FRAME_SWEEP_LEFT ||
                   in.header.kind == DFOPT_FRAME_FAILED;
        take_items(l, from, &in);
    }
}

static void nap(void)
{
    const struct timespec t = {.tv_nsec = NAP_NS};
    nanosleep(&t, NULL);
}

static void wait_until_ready(struct leader *l)
{
    for (int i = 1; i < l->size && !l->status; i++) {
        while (!l->workers[i].is_ready && !l->status && !stopped(l)) {
            receive(l, false);
            if (!l->workers[i].is_ready)
                nap();
        }
        if (stopped(l))
            fail(l, DFOPT_ERR_INTERRUPTED, NULL);
        else if (!l->status)
            check_ready(l, i);
    }
}

/* ---- handing out ---- */

/* Takes the next block of remaining variants into numbers and policies. */
static size_t next_block(struct leader *l)
{
    const size_t want = dfopt_variant_block_size(l->world, l->left, (size_t)l->size,
                                                 l->config->memory_bytes);
    size_t n = 0;
    for (; n < want && l->next < l->config->n_variants; l->next++)
        if (!l->done[l->next]) {
            l->numbers[n] = l->next;
            l->policies[n++] = &l->config->policies[l->next];
        }
    l->left -= n;
    return n;
}

static void send_block(struct leader *l, int to)
{
    struct dfopt_frame f;
    enum dfopt_err e = begin_frame(l, to, &f);
    const size_t n = next_block(l);
    for (size_t i = 0; i < n && !e; i++) {
        e = dfopt_frame_item(&f, DFOPT_ITEM_CODE, &l->numbers[i],
                             sizeof l->numbers[i]);
        if (!e)
            e = dfopt_frame_config(&f, l->policies[i],
                                   l->config->world->assumed_acks,
                                   l->config->world->relay_hostname);
    }
    send_or_abort(l, to, &f, DFOPT_FRAME_SWEEP_BLOCK, e);
    l->workers[to].blocks++;
}

static void hand_out(struct leader *l)
{
    for (unsigned ahead = 1; ahead <= DFOPT_SWEEP_BLOCKS_AHEAD; ahead++)
        for (int i = 1; i < l->size && l->left; i++)
            if (l->workers[i].blocks < ahead)
                send_block(l, i);
}

/* ---- rank 0's own blocks ---- */

static enum dfopt_err end_own_block(struct leader *l)
{
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < l->block.n && !e; i++) {
        dfopt_buf_clear(&l->result);
        e = dfopt_variant_result(&l->block.variants[i], l->world, &l->result);
        if (!e)
            keep(l, l->result.data, l->result.len);
    }
    dfopt_variant_block_end(&l->block);
    return e;
}

/* Does a little work. Returns whether there was any. */
static bool work(struct leader *l)
{
    enum dfopt_err e = DFOPT_OK;
    if (!dfopt_variant_block_active(&l->block)) {
        if (l->left == 0)
            return false;
        const size_t n = next_block(l);
        e = dfopt_variant_block_begin(&l->block, l->world, l->policies, l->numbers,
                                      n);
    }
    if (!e)
        e = dfopt_variant_block_step(&l->block);
    if (!e && l->block.done)
        e = end_own_block(l);
    fail(l, e, NULL);
    return true;
}

static void show_progress(struct leader *l)
{
    const int64_t now = dfopt_clock_monotonic_ns();
    if (!l->config->progress || now - l->shown_ns < PROGRESS_NS)
        return;
    l->shown_ns = now;
    l->config->progress(l->config->arg, l->decided, l->undecided);
}

static void run(struct leader *l)
{
    while (l->undecided && !l->status) {
        receive(l, false);
        if (stopped(l))
            fail(l, DFOPT_ERR_INTERRUPTED, NULL);
        if (l->status)
            return;
        hand_out(l);
        if (!work(l) && l->undecided)
            nap();
        show_progress(l);
    }
}

static void load(struct leader *l)
{
    struct dfopt_error err = {0};
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < l->config->world->n_initial && !e; i++)
        e = dfopt_recording_add_knobs(l->recording, &l->config->world->initial[i]);
    if (!e)
        e = dfopt_recording_load(l->recording, l->config->world->dict,
                                 l->config->codec, &l->config->input, &err);
    fail(l, e, &err);
    wait_until_ready(l);
    if (!l->status)
        fail(l, l->config->loaded(l->config->arg, l->recording, l->done, &err),
             &err);
    for (size_t i = 0; i < l->config->n_variants; i++)
        l->left += !l->done[i];
    l->undecided = l->left;
}

/* Dismisses the workers and waits for their last frames. */
static void dismiss(struct leader *l)
{
    for (int i = 1; i < l->size; i++) {
        struct dfopt_frame f;
        send_or_abort(l, i, &f, DFOPT_FRAME_SWEEP_END, begin_frame(l, i, &f));
    }
    for (int i = 1; i < l->size; i++)
        while (!l->workers[i].left)
            receive(l, true);
    for (int i = 1; i < l->size; i++)
        dfopt_outbox_free(&l->workers[i].out, l->comm);
}

enum dfopt_err dfopt_sweep_run(struct dfopt_comm *comm,
                               const struct dfopt_sweep_config *config,
                               struct dfopt_recording *recording,
                               struct dfopt_error *err)
{
    struct leader l = {
        .comm = comm,
        .config = config,
        .recording = recording,
        .world = config->world,
        .size = dfopt_comm_size(comm),
        .shown_ns = dfopt_clock_monotonic_ns(),
    };
    const size_t n = config->n_variants + 1;
    l.workers = calloc((size_t)l.size, sizeof *l.workers);
    l.done = calloc(n, sizeof *l.done);
    l.numbers = calloc(n, sizeof *l.numbers);
    l.policies = calloc(n, sizeof(struct dfopt_policy *));
    if (l.workers && l.done && l.numbers && l.policies) {
        for (int i = 1; i < l.size; i++)
            send_start(&l, i);
        load(&l);
        run(&l);
        dismiss(&l);
    } else {
        fail(&l, DFOPT_ERR_NOMEM, NULL);
    }
    if (l.status && err)
        *err = l.err;
    dfopt_variant_block_free(&l.block);
    dfopt_buf_free(&l.in);
    dfopt_buf_free(&l.result);
    free(l.workers);
    free(l.done);
    free(l.numbers);
    free((void *)l.policies);
    return l.status;
}
