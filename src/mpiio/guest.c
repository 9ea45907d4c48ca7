/* The process's one guest: interposed functions have no argument that could hold
 * it. No MPI function that communicates is called with the lock held. */
#include "mpiio/guest.h"

#include "json/write.h"
#include "mpiio/diagnose.h"
#include "mpiio/settings.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define AT_OPEN       "epoch_boundary" /* delivers all plans */
#define AT_VIEW       "file_view"
#define VIEWS         2 /* that a plan for an open waits, if views end them */
#define GOODBYE_MS    500
#define REST_MS       5
#define FIRST_FINDING 2 /* an objective precedes it */

static struct {
    pthread_mutex_t lock;
    bool asked; /* the environment has been read */
    bool ended;
    struct dfopt_mpiio_settings settings;
    dfopt_client *client; /* NULL: not created yet, or failed */
    bool tried;           /* to create it */
    struct dfopt_io_diagnosis diagnosis;
    struct dfopt_hints now;       /* in force */
    bool absent[DFOPT_HINTS_MAX]; /* by knob: the file lacked this hint at first */
    uint64_t generation;          /* of them */
    int64_t window;               /* number of the latest; 0: none */
    bool reported;                /* a window, since the last open or view */
    int views;                    /* windows ended by views since the last open */
    int connect_ms;               /* time left to wait for the optimizer */
    atomic_bool complained;
} guest = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Whether this is rank 0 of a job that no other job spawned. */
static bool is_host(void)
{
    int rank = -1;
    MPI_Comm parent = MPI_COMM_NULL;
    return PMPI_Comm_rank(MPI_COMM_WORLD, &rank) == MPI_SUCCESS && rank == 0 &&
           PMPI_Comm_get_parent(&parent) == MPI_SUCCESS && parent == MPI_COMM_NULL;
}

/* Whether tuning was requested. Locked. */
static bool is_wanted(void)
{
    if (!guest.asked && is_host()) {
        dfopt_mpiio_settings_read(&guest.settings);
        if (guest.settings.knobs) {
            guest.now = guest.settings.knobs->fixed;
            guest.connect_ms = guest.settings.knobs->connect_ms;
        }
    }
    guest.asked = true;
    return guest.settings.knobs && !guest.ended;
}

/* ---- at an open ---- */

/* Returns the knob of a hint, or NULL. Locked. */
static const struct dfopt_mpiio_knob *knob_of(const char *hint)
{
    const struct dfopt_mpiio_knobs *knobs = guest.settings.knobs;
    for (size_t i = 0; i < knobs->n; i++)
        if (strcmp(knobs->of[i].knob.parameter, hint) == 0)
            return &knobs->of[i];
    return NULL;
}

/* Bytes after which a view ends a window; 0 if no hint can change. Locked. */
static double view_bytes(void)
{
    const struct dfopt_mpiio_knobs *knobs = guest.settings.knobs;
    bool any = false;
    for (size_t i = 0; i < knobs->n; i++)
        any = any || dfopt_mpiio_at_view(&knobs->of[i]);
    return !any ? 0 : knobs->min_bytes > 1 ? knobs->min_bytes : 1;
}

/* Whether a knob's value means leaving the hint out. */
static bool stands_for_none(const char *hint, const struct dfopt_client_value *v)
{
    const struct dfopt_mpiio_knob *k = knob_of(hint);
    char text[DFOPT_HINT_VALUE_SIZE], usual[DFOPT_HINT_VALUE_SIZE];
    return k && guest.absent[k - guest.settings.knobs->of] &&
           dfopt_hint_text(v, text) == DFOPT_OK &&
           dfopt_hint_text(&k->knob.default_value, usual) == DFOPT_OK &&
           strcmp(text, usual) == 0;
}

/* Puts a plan in force. An open file keeps a hint that is not given again, so such
 * a hint must be set. Locked. Returns whether it succeeded. */
static bool put_in_force(const struct dfopt_client_plan *p, bool is_open)
{
    char text[DFOPT_HINT_VALUE_SIZE];
    if (!is_open && stands_for_none(p->parameter, &p->new_value))
        return dfopt_hints_set(&guest.now, p->parameter, NULL) == DFOPT_OK;
    return dfopt_hint_text(&p->new_value, text) == DFOPT_OK &&
           dfopt_hints_set(&guest.now, p->parameter, text) == DFOPT_OK;
}

static void answer(const struct dfopt_client_plan *p, const char *why_not)
{
    dfopt_client_ack(guest.client, p,
                     why_not ? DFOPT_CLIENT_REJECTED : DFOPT_CLIENT_APPLIED, NULL,
                     why_not ? why_not : "", guest.window + 1);
}

/* How long to wait for plans after the window just reported. Locked. */
static int patience(void)
{
    struct dfopt_client_stats s = {.connections = 0};
    const bool asked = guest.reported && guest.settings.knobs->wait_ms > 0;
    guest.reported = false;
    if (asked)
        dfopt_client_stats(guest.client, &s);
    while (asked && s.connections == 0 && guest.connect_ms > 0) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        guest.connect_ms--;
        dfopt_client_stats(guest.client, &s);
    }
    return s.connections > 0 ? guest.settings.knobs->wait_ms : 0;
}

/* Receives the plans that have arrived; the one awaited may be the first of
 * several. The wait does not count as the application's time. Locked. */
static size_t receive(const char *boundary, int wait_ms,
                      struct dfopt_client_plan plans[DFOPT_HINTS_MAX])
{
    const double begin = PMPI_Wtime();
    size_t n = 0, more;
    do {
        more = dfopt_client_at_boundary_wait(
            guest.client, NULL, boundary, plans + n, DFOPT_HINTS_MAX - n, wait_ms);
        n += more;
        wait_ms = wait_ms > REST_MS ? REST_MS : wait_ms;
    } while (more && wait_ms);
    guest.diagnosis.last_closed += PMPI_Wtime() - begin;
    return n;
}

/* Locked. */
static void take(const struct dfopt_client_plan *p, bool is_open,
                 struct dfopt_taken *taken)
{
    if (taken->n == DFOPT_HINTS_MAX || !put_in_force(p, is_open))
        answer(p, "the value cannot be a hint");
    else
        taken->plans[taken->n++] = *p;
}

/* Locked. */
static void take_plans(struct dfopt_taken *taken)
{
    struct dfopt_client_plan plans[DFOPT_HINTS_MAX];
    const size_t n = receive(AT_OPEN, patience(), plans);
    for (size_t i = 0; i < n; i++)
        take(&plans[i], false, taken);
    guest.generation += taken->n > 0;
    guest.views = 0;
}

void dfopt_guest_decide(const char *name, struct dfopt_agreed *agreed,
                        struct dfopt_taken *taken)
{
    memset(agreed, 0, sizeof *agreed);
    agreed->magic = DFOPT_AGREED_MAGIC;
    *taken = (struct dfopt_taken){.n = 0};
    pthread_mutex_lock(&guest.lock);
    if (is_wanted() && dfopt_mpiio_knobs_match(guest.settings.knobs, name)) {
        taken->before = guest.now;
        taken->first = !guest.tried;
        take_plans(taken);
        agreed->tuned = 1;
        agreed->view_bytes = view_bytes();
        agreed->generation = guest.generation;
        agreed->hints = guest.now;
    }
    pthread_mutex_unlock(&guest.lock);
}

/* ---- reporting a window ---- */

static void put_line(struct dfopt_buf *out, const struct dfopt_io_window *w,
                     double share)
{
    struct dfopt_put p = dfopt_put_start(out, NULL);
    dfopt_put_raw(&p, "{");
    dfopt_member_int(&p, "window", guest.window);
    dfopt_member_text(&p, "file", w->name);
    dfopt_member_real(&p, "mb_per_s", dfopt_io_rate(w));
    dfopt_member_real(&p, "bytes", w->counts.bytes);
    dfopt_member_real(&p, "seconds", w->seconds);
    dfopt_member_real(&p, "io_frac", share);
    dfopt_member_real(&p, "calls", w->counts.calls);
    dfopt_member_real(&p, "collective", w->counts.collective);
    dfopt_member_int(&p, "ranks", w->ranks);
    dfopt_put_key(&p, "hints");
    dfopt_put_raw(&p, "{");
    for (uint32_t i = 0; i < w->hints->n; i++)
        dfopt_member_text(&p, w->hints->of[i].name, w->hints->of[i].value);
    dfopt_put_raw(&p, "}}\n");
    if (dfopt_put_end(&p))
        out->len = 0;
}

/* Locked. */
static void write_line(const struct dfopt_io_window *w, double share)
{
    struct dfopt_buf line = {0};
    if (!guest.settings.report)
        return;
    put_line(&line, w, share);
    fwrite(line.data, 1, line.len, guest.settings.report);
    fflush(guest.settings.report);
    dfopt_buf_free(&line);
}

/* Locked. Skips a window whose hints are no longer in force: it says nothing about
 * the current ones. */
static void report(const struct dfopt_io_window *w)
{
    struct dfopt_client_finding found;
    const double share = dfopt_io_share(&guest.diagnosis, w);
    if (w->counts.bytes < guest.settings.knobs->min_bytes ||
        w->generation != guest.generation)
        return;
    guest.window++;
    guest.reported = true;
    const bool any = dfopt_io_diagnose(&guest.diagnosis, w, guest.window, &found);
    dfopt_client_objective(guest.client,
                           &(struct dfopt_client_objective){
                               .window_index = guest.window,
                               .value = dfopt_io_rate(w),
                               .metrics = guest.diagnosis.metrics,
                               .n_metrics = sizeof guest.diagnosis.metrics /
                                            sizeof *guest.diagnosis.metrics});
    if (any && guest.window >= FIRST_FINDING)
        dfopt_client_finding(guest.client, &found);
    write_line(w, share);
}

/* ---- at a view that ends a window ---- */

/* Locked. Plans that need an open wait for one, but not forever, or their trial
 * would never end. */
static void take_plans_of_view(struct dfopt_taken *taken)
{
    struct dfopt_client_plan plans[DFOPT_HINTS_MAX];
    size_t n = receive(AT_VIEW, patience(), plans);
    for (size_t i = 0; i < n; i++)
        take(&plans[i], true, taken);
    n = ++guest.views > VIEWS ? receive(AT_OPEN, 0, plans) : 0;
    for (size_t i = 0; i < n; i++)
        if (dfopt_mpiio_at_view(knob_of(plans[i].parameter)))
            take(&plans[i], true, taken);
        else
            answer(&plans[i], "needs an open, but the file stays open");
    guest.generation += taken->n > 0;
}

/* The hints in force, as far as a view can change a file's own. A hint that is no
 * longer in force gets its usual value. */
static struct dfopt_hints at_view(const struct dfopt_hints *has)
{
    const struct dfopt_mpiio_knobs *knobs = guest.settings.knobs;
    struct dfopt_hints out = *has;
    for (size_t i = 0; i < knobs->n; i++) {
        const char *name = knobs->of[i].knob.parameter;
        const char *now = dfopt_hints_get(&guest.now, name);
        char usual[DFOPT_HINT_VALUE_SIZE];
        if (!now && dfopt_hints_get(has, name) &&
            dfopt_hint_text(&knobs->of[i].knob.default_value, usual) == DFOPT_OK)
            now = usual;
        if (now && dfopt_mpiio_at_view(&knobs->of[i]))
            (void)dfopt_hints_set(&out, name, now);
    }
    return out;
}

/* Whether a file with these hints shows what those in force achieve. */
static bool are_in_force(const struct dfopt_hints *h)
{
    const struct dfopt_mpiio_knobs *knobs = guest.settings.knobs;
    for (size_t i = 0; i < knobs->n; i++) {
        const char *name = knobs->of[i].knob.parameter;
        const char *has = dfopt_hints_get(h, name);
        const char *now = dfopt_hints_get(&guest.now, name);
        char usual[DFOPT_HINT_VALUE_SIZE] = "";
        if ((!has || !now) && has != now)
            (void)dfopt_hint_text(&knobs->of[i].knob.default_value, usual);
        if (has != now && strcmp(has ? has : usual, now ? now : usual) != 0)
            return false;
    }
    return true;
}

void dfopt_guest_viewed(const struct dfopt_io_window *w,
                        struct dfopt_agreed *agreed, struct dfopt_taken *taken)
{
    memset(agreed, 0, sizeof *agreed);
    agreed->magic = DFOPT_AGREED_MAGIC;
    *taken = (struct dfopt_taken){.n = 0};
    pthread_mutex_lock(&guest.lock);
    if (is_wanted()) {
        report(w);
        taken->before = guest.now;
        take_plans_of_view(taken);
        agreed->tuned = 1;
        agreed->changed = taken->n > 0;
        agreed->hints = at_view(w->hints);
        agreed->generation =
            are_in_force(&agreed->hints) ? guest.generation : DFOPT_NO_GENERATION;
    }
    pthread_mutex_unlock(&guest.lock);
}

/* ---- after the open or view ---- */

/* Reads the file's hint for a knob, if it is set and has the knob's type. Returns
 * whether it does. */
static bool read_current(MPI_Info info, struct dfopt_client_knob *k)
{
    char text[MPI_MAX_INFO_VAL + 1];
    int found = 0;
    return info != MPI_INFO_NULL &&
           PMPI_Info_get(info, k->parameter, MPI_MAX_INFO_VAL, text, &found) ==
               MPI_SUCCESS &&
           found && dfopt_hint_value(text, k->type, &k->current);
}

/* Drops values above the number of processes: more cannot do I/O. */
static void fit_to_ranks(struct dfopt_client_knob *k, int ranks)
{
    if (strcmp(k->parameter, "cb_nodes") != 0)
        return;
    while (k->n_values > 1 && k->values[k->n_values - 1].i > ranks)
        k->n_values--;
    if (k->hi.kind == DFOPT_CLIENT_INT && k->hi.i > ranks && k->lo.i <= ranks)
        k->hi.i = ranks;
}

static enum dfopt_err declare(MPI_Info info, int ranks, struct dfopt_error *err)
{
    const struct dfopt_mpiio_knobs *knobs = guest.settings.knobs;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; !e && i < knobs->n; i++) {
        struct dfopt_client_knob k = knobs->of[i].knob;
        fit_to_ranks(&k, ranks);
        guest.absent[i] = !read_current(info, &k);
        e = dfopt_client_knob_declare(guest.client, &k, err);
    }
    return e;
}

/* Locked. */
static void start(MPI_Info info, int ranks)
{
    struct dfopt_error err = {.code = DFOPT_OK};
    const struct dfopt_mpiio_settings *s = &guest.settings;
    struct dfopt_client_options options = s->client;
    options.lease_ms = s->knobs->lease_ms;
    enum dfopt_err e = dfopt_client_create(&guest.client, &options, &err);
    if (!e)
        e = declare(info, ranks, &err);
    if (!e)
        e = dfopt_client_start(guest.client, &err);
    guest.tried = true;
    if (!e)
        return;
    dfopt_mpiio_say("continuing untuned: %s", err.text);
    dfopt_client_destroy(guest.client);
    guest.client = NULL;
}

/* By now the hints of the application are known, whoever gave them. */
static void start_with(MPI_File file, int ranks)
{
    MPI_Info info = MPI_INFO_NULL;
    if (PMPI_File_get_info(file, &info) != MPI_SUCCESS)
        info = MPI_INFO_NULL;
    pthread_mutex_lock(&guest.lock);
    if (!guest.tried && !guest.ended)
        start(info, ranks);
    pthread_mutex_unlock(&guest.lock);
    if (info != MPI_INFO_NULL)
        PMPI_Info_free(&info);
}

static void give_up(const struct dfopt_taken *taken)
{
    for (size_t i = 0; i < taken->n; i++) {
        const char *name = taken->plans[i].parameter;
        dfopt_hints_set(&guest.now, name, dfopt_hints_get(&taken->before, name));
    }
    guest.generation++;
}

void dfopt_guest_opened(struct dfopt_taken *taken, const char *why_not,
                        MPI_File file, int ranks)
{
    pthread_mutex_lock(&guest.lock);
    if (why_not && taken->n)
        give_up(taken);
    for (size_t i = 0; i < taken->n; i++)
        answer(&taken->plans[i], why_not);
    pthread_mutex_unlock(&guest.lock);
    if (why_not && !atomic_exchange(&guest.complained, true))
        dfopt_mpiio_say("hints not applied: %s", why_not);
    if (taken->first && file != MPI_FILE_NULL)
        start_with(file, ranks);
}

/* ---- at a close ---- */

void dfopt_guest_closed(const struct dfopt_io_window *w)
{
    pthread_mutex_lock(&guest.lock);
    if (is_wanted())
        report(w);
    pthread_mutex_unlock(&guest.lock);
}

/* ---- at the end ---- */

void dfopt_guest_end(void)
{
    struct dfopt_client_stats s = {.connections = 0};
    pthread_mutex_lock(&guest.lock);
    guest.asked = guest.ended = true;
    dfopt_client *c = guest.client;
    struct dfopt_mpiio_settings settings = guest.settings;
    guest.client = NULL;
    guest.settings = (struct dfopt_mpiio_settings){.knobs = NULL};
    pthread_mutex_unlock(&guest.lock);
    dfopt_client_stats(c, &s);
    const int linger_ms = s.connections > 0 ? GOODBYE_MS : 0;
    dfopt_client_stop(c, linger_ms);
    dfopt_client_destroy(c);
    dfopt_mpiio_settings_free(&settings);
}
