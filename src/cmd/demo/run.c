#include "cmd/demo/run.h"
#include "cmd/demo/audit.h"
#include "cmd/demo/publisher.h"
#include "cmd/demo/report.h"
#include "cmd/demo/timing.h"
#include "cmd/demo/tuner.h"

#include <stdio.h>
#include <unistd.h>

#define FINISH_MS      2000     /* for the last acks and findings to leave */
#define POLL_NS        10000000 /* between checks for the optimizer */
#define FOLLOWED_SHARE 0.225    /* of fetch time: knobs respond from here on */
#define STOP_SIGNAL    "{\"name\":\"end\"}"

struct run {
    const struct demo_options *options;
    const volatile sig_atomic_t *interrupted;
    struct demo_dataset *dataset;
    struct demo_reader *reader;
    struct demo_sample sample; /* consumer only */
    struct demo_audit audit;
    struct demo_tuner tuner;
    struct demo_publisher publisher;
    struct dfopt_diagnosis diagnosis;
    struct demo_report report;
    struct demo_window window; /* the current one */
    struct demo_grid grid;
    char hostname[256];
    uint64_t findings_sent, findings_dropped, objectives_sent;
    bool acknowledged;
    uint64_t burned; /* keeps the computation from being optimised away */
};

/* ---- opening and closing ---- */

static enum dfopt_err open_data(struct run *r, struct dfopt_error *err)
{
    const struct demo_options *o = r->options;
    const struct demo_shape *shape = o->make_data ? &o->shape : NULL;
    enum dfopt_err e = DFOPT_OK;
    if (o->make_data)
        e = demo_dataset_make(o->folder, shape, err);
    if (!e)
        e = demo_dataset_open(&r->dataset, o->folder, shape, err);
    if (!e)
        e = demo_reader_create(&r->reader, r->dataset, &o->reader, err);
    if (!e && (demo_sample_init(&r->sample, r->dataset) != DFOPT_OK ||
               demo_audit_init(&r->audit, r->dataset) != DFOPT_OK))
        e = dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    return e;
}

static enum dfopt_err open_optimizer(struct run *r, struct dfopt_error *err)
{
    const struct demo_options *o = r->options;
    struct dfopt_client_options client = o->client;
    const bool any = client.plans_endpoint || client.registry_endpoint ||
                     client.acks_endpoint || client.objectives_endpoint ||
                     client.endpoints_file;
    const struct demo_knob_options knobs = {
        .scope = o->scope,
        .min_severity = dfopt_diagnosis_fetch_severity(o->habit, FOLLOWED_SHARE),
        .reader = &o->reader};
    enum dfopt_err e = DFOPT_OK;
    if (o->no_optimizer || o->grid)
        return e;
    if (client.hostname)
        snprintf(r->hostname, sizeof r->hostname, "%s", client.hostname);
    else if (gethostname(r->hostname, sizeof r->hostname - 1) != 0)
        return dfopt_error_set(err, DFOPT_ERR_IO,
                               "the host name is empty; use --hostname");
    client.hostname = r->hostname;
    if (o->findings)
        e = client.group_file
                ? demo_publisher_open_topic(&r->publisher, client.group_file,
                                            o->findings, err)
                : demo_publisher_open(&r->publisher, o->findings,
                                      !o->findings_connect, err);
    if (!e && any)
        e = demo_tuner_open(&r->tuner, &client, &knobs, err);
    return e;
}

static bool optimizer_is_there(struct run *r)
{
    return (!demo_publisher_is_open(&r->publisher) ||
            demo_publisher_connected(&r->publisher)) &&
           (!r->options->client.registry_endpoint ||
            demo_tuner_registered(&r->tuner));
}

static bool has_optimizer(const struct run *r)
{
    return demo_publisher_is_open(&r->publisher) || r->tuner.client;
}

/* The loader also runs without an optimizer. */
static void wait_for_optimizer(struct run *r)
{
    const int64_t end = demo_now_ns() + r->options->wait_optimizer_ns;
    if (!has_optimizer(r)) {
        puts("optimizer: none");
        return;
    }
    while (!optimizer_is_there(r) && demo_now_ns() < end && !*r->interrupted)
        demo_sleep_ns(POLL_NS);
    printf("optimizer: %s",
           optimizer_is_there(r) ? "connected" : "not connected yet");
    if (demo_publisher_is_open(&r->publisher))
        printf("; findings at %s", r->publisher.endpoint);
    printf("; node %s\n", r->hostname);
}

/* Returns false if something hangs: then the process must end with _exit. */
static bool close_all(struct run *r)
{
    demo_tuner_close(&r->tuner);
    const bool ended = demo_publisher_close(&r->publisher, FINISH_MS);
    demo_reader_destroy(r->reader);
    demo_sample_free(&r->sample);
    demo_audit_free(&r->audit);
    demo_dataset_close(r->dataset);
    return ended;
}

/* ---- running ---- */

static enum dfopt_err at_boundary(struct run *r, const char *boundary)
{
    struct demo_change changes[DEMO_KNOBS];
    size_t n = demo_tuner_boundary(&r->tuner, boundary, r->window.index, r->reader,
                                   changes);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; !e && i < n; i++)
        e = demo_report_change(&r->report, &changes[i]);
    return e;
}

static void compute(struct run *r)
{
    const struct demo_options *o = r->options;
    if (o->compute_cpu)
        r->burned += demo_burn_ns(o->compute_ns, r->sample.bytes, r->sample.len);
    else
        demo_sleep_ns(o->compute_ns);
}

/* Fetches one sample and computes on it. */
static enum dfopt_err step(struct run *r, struct dfopt_error *err)
{
    bool epoch_ends;
    const int64_t begin = demo_now_ns();
    enum dfopt_err e = demo_reader_next(r->reader, &r->sample, err);
    const int64_t fetched = demo_now_ns();
    if (!e)
        e = demo_audit_sample(&r->audit, &r->sample, &epoch_ends, err);
    if (e)
        return e;
    compute(r);
    r->window.fetch_s += (double)(fetched - begin) * 1e-9;
    r->window.compute_s += (double)(demo_now_ns() - fetched) * 1e-9;
    r->window.samples++;
    return epoch_ends ? at_boundary(r, "epoch_boundary") : DFOPT_OK;
}

static bool window_ends(const struct run *r, int64_t elapsed)
{
    const struct demo_options *o = r->options;
    return o->window_samples ? r->window.samples >= (uint64_t)o->window_samples
                             : elapsed >= o->window_ns;
}

static void note_memory(struct run *r)
{
    const struct demo_storage_options *s = &r->options->reader.storage;
    struct demo_window *w = &r->window;
    w->has_memory = demo_storage_profile(s, w->index) == DEMO_MEMORY;
    if (w->has_memory)
        w->mem_frac = (double)demo_reader_held(r->reader) / (double)s->budget;
}

static enum dfopt_err run_window(struct run *r, int64_t index,
                                 struct dfopt_error *err)
{
    const int64_t begin = demo_now_ns();
    int64_t elapsed;
    enum dfopt_err e;
    r->window = (struct demo_window){.index = index};
    demo_reader_window(r->reader, index);
    do {
        e = step(r, err);
        elapsed = demo_now_ns() - begin;
    } while (!e && !window_ends(r, elapsed) && !*r->interrupted);
    r->window.seconds = (double)elapsed * 1e-9;
    r->window.threads = demo_reader_threads(r->reader);
    r->window.prefetch = demo_reader_prefetch(r->reader);
    r->window.read_spread = demo_reader_spread(r->reader);
    note_memory(r);
    return e ? e : demo_report_window(&r->report, &r->window);
}

static enum dfopt_err send_finding(struct run *r, const struct dfopt_diagnosed *f)
{
    struct dfopt_client_metric metrics[DFOPT_DIAGNOSED_METRICS];
    struct dfopt_client_finding finding;
    struct dfopt_buf meta = {0}, body = {0};
    char scope[300];
    snprintf(scope, sizeof scope, "node:%s:window", r->hostname);
    dfopt_diagnosed_finding(f, &finding, metrics);
    enum dfopt_err e = dfopt_finding_json(&finding, scope, &meta, &body);
    if (!e && (dfopt_buf_add(&meta, "", 1) || dfopt_buf_add(&body, "", 1)))
        e = DFOPT_ERR_NOMEM;
    if (!e && demo_publisher_send(&r->publisher, meta.data, body.data))
        r->findings_sent++;
    else if (!e)
        r->findings_dropped++;
    dfopt_buf_free(&meta);
    dfopt_buf_free(&body);
    return e;
}

static enum dfopt_err send_findings(struct run *r)
{
    const struct dfopt_client_window w = demo_window_measured(&r->window);
    struct dfopt_diagnosed found[DFOPT_FINDING_KINDS];
    const size_t n = dfopt_diagnose(&r->diagnosis, &w, found);
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; !e && demo_publisher_is_open(&r->publisher) && i < n; i++)
        e = send_finding(r, &found[i]);
    return e;
}

static enum dfopt_err run_windows(struct run *r, struct dfopt_error *err)
{
    enum dfopt_err e = DFOPT_OK;
    for (int64_t i = 1; !e && i <= r->options->windows && !*r->interrupted; i++) {
        e = run_window(r, i, err);
        if (!e && r->tuner.client)
            demo_tuner_objective(&r->tuner, &r->window);
        if (!e)
            e = send_findings(r);
        if (!e && i < r->options->windows)
            e = at_boundary(r, "window_boundary");
    }
    return e;
}

/* ---- static settings ---- */

/* Sets the knobs and consumes what was read ahead with the previous setting. */
static enum dfopt_err settle(struct run *r, const struct demo_grid *g,
                             struct dfopt_error *err)
{
    const unsigned ahead = r->options->reader.max_prefetch;
    bool epoch_ends;
    enum dfopt_err e = demo_reader_prefetch_set(r->reader, g->prefetch, err);
    if (!e)
        e = demo_reader_threads_set(r->reader, g->threads, err);
    for (unsigned i = 0; !e && i < ahead && !*r->interrupted; i++) {
        e = demo_reader_next(r->reader, &r->sample, err);
        if (!e)
            e = demo_audit_sample(&r->audit, &r->sample, &epoch_ends, err);
    }
    return e;
}

static enum dfopt_err run_grid(struct run *r, struct dfopt_error *err)
{
    const struct demo_options *o = r->options;
    struct demo_grid *g = &r->grid;
    enum dfopt_err e = DFOPT_OK;
    *g = (struct demo_grid){.values = o->grid,
                            .windows = (size_t)o->grid_windows,
                            .max_threads = o->reader.max_threads,
                            .max_prefetch = o->reader.max_prefetch};
    int64_t index = 0;
    bool whole = true;
    while (!e && !*r->interrupted && (!whole || demo_grid_next(g))) {
        if (whole)
            e = settle(r, g, err);
        if (!e)
            e = run_window(r, ++index, err);
        if (!e && !*r->interrupted)
            whole = demo_grid_add(g, &r->window);
    }
    return e;
}

/* Sends the acks before the optimizer is told to stop. */
static void say_goodbye(struct run *r)
{
    r->acknowledged = r->tuner.client && demo_tuner_finish(&r->tuner, FINISH_MS);
    r->objectives_sent = demo_tuner_objectives(&r->tuner);
    if (demo_publisher_is_open(&r->publisher) && r->options->stop_optimizer)
        demo_publisher_send(&r->publisher, STOP_SIGNAL, "{}");
}

static enum dfopt_err conclude(struct run *r, int *code, struct dfopt_error *err)
{
    const struct demo_options *o = r->options;
    const struct demo_end end = {
        .samples = r->audit.samples,
        .epochs = r->audit.epochs,
        .findings_sent = r->findings_sent,
        .findings_dropped = r->findings_dropped,
        .objectives_sent = r->objectives_sent,
        .tuned = has_optimizer(r),
        .acknowledged = r->acknowledged,
        .interrupted = *r->interrupted != 0,
    };
    bool enough = true;
    enum dfopt_err e = DFOPT_OK;
    if (o->grid)
        demo_report_best(&r->report, &end, &r->grid);
    else
        demo_report_summary(&r->report, &end);
    if (o->against && r->report.n_windows > 0)
        e = demo_report_compare(&r->report, &end, o->against, o->at_least, &enough,
                                err);
    if (!e && o->against_grid && r->report.n_windows > 0)
        e = demo_report_judge(&r->report, o->against_grid, err);
    if (e)
        return e;
    *code = end.interrupted ? DEMO_EXIT_INTERRUPTED
            : enough        ? DEMO_EXIT_FINE
                            : DEMO_EXIT_FELL_SHORT;
    return DFOPT_OK;
}

/* Closes everything and reports errors. Returns the exit code. */
static int finish(struct run *r, enum dfopt_err e, int code,
                  struct dfopt_error *err)
{
    const bool ended = close_all(r);
    enum dfopt_err closing = demo_report_close(&r->report, e ? NULL : err);
    e = e ? e : closing;
    if (e) {
        fprintf(stderr, "dfopt-demo-loader: %s\n",
                err->code ? err->text : dfopt_err_text(e));
        code = DEMO_EXIT_TROUBLE;
    }
    if (!ended) { /* a remaining thread would hang the exit */
        fflush(NULL);
        _exit(code);
    }
    return code;
}

int demo_run(const struct demo_options *o, const volatile sig_atomic_t *interrupted)
{
    struct dfopt_error err = {.code = DFOPT_OK};
    struct run r = {
        .options = o, .interrupted = interrupted, .diagnosis = {.habit = o->habit}};
    int code = DEMO_EXIT_FINE;
    enum dfopt_err e = demo_report_open(&r.report, o->json_file, &err);
    if (!e)
        e = open_data(&r, &err);
    if (!e)
        e = open_optimizer(&r, &err);
    if (!e) {
        wait_for_optimizer(&r);
        e = o->grid ? run_grid(&r, &err) : run_windows(&r, &err);
        say_goodbye(&r);
    }
    if (!e)
        e = conclude(&r, &code, &err);
    return finish(&r, e, code, &err);
}
