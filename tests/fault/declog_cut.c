/* A decision log cut at any byte. What is still read of it is what the whole log
 * has there: every row and text, and the state that they fold to; a clean copy, and
 * a run that goes on, hold the same. Or what is wrong is reported. Each batch of
 * cuts is read in a process of its own, so that one that crashes, hangs or takes
 * memory without end is named.
 *
 * usage: declog_cut STEP FIRST FILE...    a cut at every STEPth byte from FIRST on
 */
#include "codec/codec.h"
#include "declog/layout.h"
#include "declog/reader.h"
#include "declog/writer.h"
#include "state/fold.h"
#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS        2
#define BATCH       512 /* cuts a process */
#define SECONDS_MAX 20  /* of a cut */
#define KIB_MAX     (256L << 10)
#define COPY_EVERY  256 /* cuts; and whenever another commit is the last */
#define STATES_MAX  512

/* HDF5 waits before it reads again what a writer may be changing. Nobody is. */
#define EXPORTED __attribute__((visibility("default")))

EXPORTED int nanosleep(const struct timespec *time, struct timespec *left)
{
    (void)time;
    (void)left;
    return 0;
}

/* Memory that was freed is not to look like memory in use. */
EXPORTED const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=16";
}

/* ---- what a log holds ---- */

struct content {
    struct dfopt_buf rows[DFOPT_TABLE_COUNT];
    struct dfopt_buf pool[DFOPT_POOL_COUNT]; /* but of strings and lists, which */
    struct dfopt_buf names; /* are here: length and bytes of each */
    struct dfopt_buf lists;
};

static void free_content(struct content *c)
{
    for (size_t i = 0; i < DFOPT_TABLE_COUNT; i++)
        dfopt_buf_free(&c->rows[i]);
    for (size_t i = 0; i < DFOPT_POOL_COUNT; i++)
        dfopt_buf_free(&c->pool[i]);
    dfopt_buf_free(&c->names);
    dfopt_buf_free(&c->lists);
}

static void add(struct dfopt_buf *to, const void *bytes, size_t n)
{
    FUZZ_CHECK(!dfopt_buf_add(to, bytes, n), "out of memory");
}

static void add_names(struct content *c, const struct dfopt_dict *d)
{
    for (dfopt_sym i = 0; i < dfopt_dict_strings(d); i++) {
        size_t n;
        const char *text = dfopt_dict_text(d, i, &n);
        add(&c->names, &n, sizeof n);
        add(&c->names, text, n);
    }
    for (dfopt_list i = 0; i < dfopt_dict_lists(d); i++) {
        size_t n;
        const dfopt_sym *items = dfopt_dict_items(d, i, &n);
        add(&c->lists, &n, sizeof n);
        add(&c->lists, items, n * sizeof *items);
    }
}

/* Returns whether all of it could be read. */
static bool read_content(struct dfopt_declog_reader *r, struct content *c)
{
    bool all = true;
    struct dfopt_error err = {.text = ""};
    add_names(c, dfopt_declog_reader_dict(r));
    for (size_t i = 0; i < DFOPT_TABLE_COUNT; i++) {
        const enum dfopt_declog_table t = (enum dfopt_declog_table)i;
        const size_t size = dfopt_layout_of(i)->row_size;
        const uint64_t n = dfopt_declog_reader_rows(r, t);
        void *rows = dfopt_buf_grow(&c->rows[i], (size_t)n * size);
        FUZZ_CHECK(rows || n == 0, "out of memory");
        if (n && dfopt_declog_reader_read(r, t, 0, (size_t)n, rows, &err)) {
            FUZZ_CHECK(err.text[0], "an error without a text");
            dfopt_buf_clear(&c->rows[i]);
            all = false;
        }
    }
    for (size_t i = DFOPT_POOL_RATIONALE; i < DFOPT_POOL_COUNT; i++) {
        const char *bytes;
        const struct dfopt_declog_text text = {
            0, dfopt_declog_reader_run(r)->last.pool[i]};
        if (!dfopt_declog_reader_text(r, (enum dfopt_declog_pool)i, text, &bytes,
                                      &err)) {
            add(&c->pool[i], bytes, (size_t)text.end);
            continue;
        }
        FUZZ_CHECK(err.text[0], "an error without a text");
        all = false;
    }
    return all;
}

static void check_prefix(const struct dfopt_buf *is, const struct dfopt_buf *whole,
                         const char *what)
{
    FUZZ_CHECK(is->len <= whole->len, "%s: more than there was", what);
    FUZZ_CHECK(is->len == 0 || memcmp(is->data, whole->data, is->len) == 0,
               "%s: not what it was", what);
}

static void check_content(const struct content *is, const struct content *whole)
{
    for (size_t i = 0; i < DFOPT_TABLE_COUNT; i++)
        check_prefix(&is->rows[i], &whole->rows[i], dfopt_layout_of(i)->group);
    for (size_t i = 0; i < DFOPT_POOL_COUNT; i++)
        check_prefix(&is->pool[i], &whole->pool[i],
                     dfopt_layout_of(DFOPT_STORE_OF_POOL(i))->group);
    check_prefix(&is->names, &whole->names, "strings");
    check_prefix(&is->lists, &whole->lists, "lists");
}

/* ---- the state ---- */

/* The state behind event `to`, as `dfopt-log state` prints it. Returns whether
 * there is one; *next_seq: how far it goes. */
static bool read_state(struct dfopt_declog_reader *r, uint64_t to,
                       struct dfopt_buf *json, uint64_t *next_seq)
{
    struct dfopt_dict *dict = NULL;
    struct dfopt_fold f = {.next_seq = 0};
    struct dfopt_error err = {.text = ""};
    FUZZ_CHECK(!dfopt_dict_create(&dict, false) && !dfopt_fold_names(r, dict),
               "out of memory");
    const bool ok = !dfopt_fold_log(&f, r, dict, to, false, &err);
    FUZZ_CHECK(ok || err.text[0], "an error without a text");
    if (ok)
        FUZZ_CHECK(!dfopt_codec_state_json(
                       dict, DFOPT_ROW(&f.rows, struct dfopt_state_row),
                       DFOPT_ROWS(&f.rows, struct dfopt_state_row),
                       DFOPT_ROW(&f.suppressions, struct dfopt_suppression_state),
                       DFOPT_ROWS(&f.suppressions, struct dfopt_suppression_state),
                       json),
                   "out of memory");
    *next_seq = f.next_seq;
    dfopt_fold_free(&f);
    dfopt_dict_destroy(dict);
    return ok;
}

/* ---- the whole log ---- */

struct whole {
    char *bytes;
    size_t n;
    struct content content;
    struct dfopt_declog_reader *reader;
    uint64_t commits;
    struct { /* behind the events before next_seq */
        uint64_t next_seq;
        struct dfopt_buf json;
    } state[STATES_MAX];
    size_t n_states;
};

static void load_whole(struct whole *w, const char *path)
{
    struct dfopt_error err = {.text = ""};
    struct stat st;
    FILE *f = fopen(path, "rb");
    FUZZ_CHECK(f && fstat(fileno(f), &st) == 0, "%s", path);
    w->n = (size_t)st.st_size;
    w->bytes = malloc(w->n);
    FUZZ_CHECK(w->bytes && fread(w->bytes, 1, w->n, f) == w->n, "%s", path);
    fclose(f);
    FUZZ_CHECK(!dfopt_declog_reader_open(&w->reader, path, &err), "%s", err.text);
    FUZZ_CHECK(read_content(w->reader, &w->content), "%s cannot be read", path);
    w->commits = dfopt_declog_reader_run(w->reader)->commits;
}

static void free_whole(struct whole *w)
{
    dfopt_declog_reader_close(w->reader);
    free_content(&w->content);
    for (size_t i = 0; i < w->n_states; i++)
        dfopt_buf_free(&w->state[i].json);
    free(w->bytes);
    *w = (struct whole){0};
}

static const struct dfopt_buf *state_before(struct whole *w, uint64_t next_seq)
{
    uint64_t is;
    for (size_t i = 0; i < w->n_states; i++)
        if (w->state[i].next_seq == next_seq)
            return &w->state[i].json;
    FUZZ_CHECK(w->n_states < STATES_MAX, "too many commits");
    w->state[w->n_states].next_seq = next_seq;
    FUZZ_CHECK(
        read_state(w->reader, next_seq - 1, &w->state[w->n_states].json, &is),
        "no state before %zu", (size_t)next_seq);
    return &w->state[w->n_states++].json;
}

/* ---- a cut ---- */

struct tally {                   /* shared with the processes that read */
    size_t at;                   /* the cut that is being read */
    size_t refused, empty, rows; /* cuts */
    size_t states, copies, resumed;
    double slowest_s;
};

struct job {
    struct whole *whole;
    struct tally *tally;
    pid_t child;
    char path[64], copy[64], resumed[64];
    uint64_t last_commits;
    long kib; /* of memory, before the first cut */
};

static void put(const char *path, const char *bytes, size_t n)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_CHECK(fd >= 0 && write(fd, bytes, n) == (ssize_t)n, "%s", path);
    close(fd);
}

/* Checks what can be read of a log. Returns whether all that it counts can. */
static bool check_log(struct job *j, struct dfopt_declog_reader *r)
{
    struct content is = {.names = {0}};
    struct dfopt_buf json = {0};
    uint64_t next_seq;
    const bool all = read_content(r, &is);
    check_content(&is, &j->whole->content);
    j->tally->empty += is.rows[DFOPT_TABLE_RUNS].len == 0;
    j->tally->rows += is.rows[DFOPT_TABLE_RUNS].len > 0;
    if (read_state(r, UINT64_MAX, &json, &next_seq) && next_seq > 0) {
        const struct dfopt_buf *want = state_before(j->whole, next_seq);
        FUZZ_CHECK(json.len == want->len &&
                       memcmp(json.data, want->data, json.len) == 0,
                   "another state: %s", json.data);
        j->tally->states++;
    }
    dfopt_buf_free(&json);
    free_content(&is);
    return all;
}

/* What was made of a cut log is whole. */
static void check_made(struct job *j, const char *path, uint64_t next_seq)
{
    struct dfopt_declog_reader *r = NULL;
    struct dfopt_error err = {.text = ""};
    const struct tally before = *j->tally;
    FUZZ_CHECK(!dfopt_declog_reader_open(&r, path, &err), "%s", err.text);
    FUZZ_CHECK(dfopt_declog_reader_run(r)->last.at.next_seq == next_seq,
               "%s: not all of it", path);
    FUZZ_CHECK(check_log(j, r), "%s cannot be read", path);
    dfopt_declog_reader_close(r);
    *j->tally = before;
    unlink(path);
}

/* `dfopt-log check --repair`. */
static void repair(struct job *j, struct dfopt_declog_reader *r)
{
    struct dfopt_error err = {.text = ""};
    if (dfopt_declog_copy(r, j->copy, &err)) {
        FUZZ_CHECK(err.text[0] && access(j->copy, F_OK), "a copy is left");
        return;
    }
    check_made(j, j->copy, dfopt_declog_reader_run(r)->last.at.next_seq);
    j->tally->copies++;
}

/* `--resume`, and an end at once. */
static void resume(struct job *j, size_t len)
{
    struct dfopt_declog_reader *r = NULL;
    struct dfopt_declog *w = NULL;
    struct dfopt_dict *dict = NULL;
    struct dfopt_error err = {.text = ""};
    const struct dfopt_declog_options o = {.ranks = 1};
    put(j->resumed, j->whole->bytes, len);
    FUZZ_CHECK(!dfopt_declog_reader_open(&r, j->resumed, &err) &&
                   !dfopt_dict_create(&dict, false) && !dfopt_fold_names(r, dict),
               "%s", err.text);
    const uint64_t next_seq = dfopt_declog_reader_run(r)->last.at.next_seq;
    const uint64_t runs = dfopt_declog_reader_rows(r, DFOPT_TABLE_RUNS);
    if (dfopt_declog_resume(&w, dict, r, &o, &err)) {
        FUZZ_CHECK(err.text[0], "an error without a text");
        dfopt_declog_reader_close(r);
    } else {
        dfopt_declog_reader_close(r);
        FUZZ_CHECK(!dfopt_declog_close(&w, true, &err), "%s", err.text);
        FUZZ_CHECK(!dfopt_declog_reader_open(&r, j->resumed, &err), "%s", err.text);
        FUZZ_CHECK(dfopt_declog_reader_run(r)->last.at.next_seq == next_seq &&
                       dfopt_declog_reader_rows(r, DFOPT_TABLE_RUNS) == runs + 1,
                   "not all of it");
        dfopt_declog_reader_close(r);
        j->tally->resumed++;
    }
    dfopt_dict_destroy(dict);
    unlink(j->resumed);
}

static void read_cut(struct job *j, size_t len)
{
    struct dfopt_declog_reader *r = NULL;
    struct dfopt_error err = {.text = ""};
    if (dfopt_declog_reader_open(&r, j->path, &err)) {
        FUZZ_CHECK(!r && strstr(err.text, j->path), "an error that names no file");
        j->tally->refused++;
        return;
    }
    const struct dfopt_declog_run *run = dfopt_declog_reader_run(r);
    const bool all = check_log(j, r);
    const uint64_t commits = run->commits - run->lost_commits;
    FUZZ_CHECK(run->cut || (all && commits == j->whole->commits),
               "it is not reported as cut");
    if (commits != j->last_commits || len % COPY_EVERY == 0) {
        repair(j, r);
        resume(j, len);
    }
    j->last_commits = commits;
    dfopt_declog_reader_close(r);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long memory_kib(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_maxrss;
}

/* Reads the cuts at first, first + step ... below `end`, the longest first. */
static void read_batch(struct job *j, size_t first, size_t end, size_t step)
{
    size_t at = first + (end - 1 - first) / step * step;
    put(j->path, j->whole->bytes, at);
    j->last_commits = UINT64_MAX;
    j->kib = memory_kib();
    for (;; at -= step) {
        const double began = seconds();
        j->tally->at = at;
        FUZZ_CHECK(truncate(j->path, (off_t)at) == 0, "%s", j->path);
        alarm(SECONDS_MAX);
        read_cut(j, at);
        const double took = seconds() - began;
        j->tally->slowest_s =
            took > j->tally->slowest_s ? took : j->tally->slowest_s;
        FUZZ_CHECK(memory_kib() - j->kib < KIB_MAX, "%ld KiB", memory_kib());
        if (at == first)
            break;
    }
    unlink(j->path);
    _exit(0); /* HDF5 leaks where it fails to read */
}

/* ---- processes ---- */

static void set_paths(struct job *j, const char *folder, int number)
{
    snprintf(j->path, sizeof j->path, "%s/cut%d.h5", folder, number);
    snprintf(j->copy, sizeof j->copy, "%s/copy%d.h5", folder, number);
    snprintf(j->resumed, sizeof j->resumed, "%s/resumed%d.h5", folder, number);
}

static void add_tally(struct tally *to, const struct tally *t)
{
    to->refused += t->refused;
    to->empty += t->empty;
    to->rows += t->rows;
    to->states += t->states;
    to->copies += t->copies;
    to->resumed += t->resumed;
    to->slowest_s = t->slowest_s > to->slowest_s ? t->slowest_s : to->slowest_s;
}

/* Starts on the next batch, if there is one. */
static bool start_batch(struct job *j, size_t *next, size_t step)
{
    const size_t first = *next, bytes = BATCH * step;
    const size_t end = j->whole->n - first < bytes ? j->whole->n : first + bytes;
    if (first >= j->whole->n)
        return false;
    *j->tally = (struct tally){0};
    *next = end < j->whole->n ? end : j->whole->n;
    j->child = fork();
    FUZZ_CHECK(j->child >= 0, "cannot fork");
    if (j->child == 0)
        read_batch(j, first, end, step);
    return true;
}

/* Waits for a batch. Returns whether nothing was wrong. */
static bool take_batch(struct job *jobs, struct tally *all)
{
    int status;
    const pid_t ended = wait(&status);
    struct job *j = jobs;
    while (j < jobs + JOBS - 1 && j->child != ended)
        j++;
    j->child = 0;
    add_tally(all, j->tally);
    unlink(j->path);
    unlink(j->copy);
    unlink(j->resumed);
    if (status == 0)
        return true;
    printf("cut at %zu of %zu: %s %d\n", j->tally->at, j->whole->n,
           WIFSIGNALED(status) ? "signal" : "exit code",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return false;
}

static bool cut_file(const char *path, const char *folder, size_t step,
                     size_t first)
{
    static struct whole w;
    struct job jobs[JOBS];
    struct tally all = {0};
    bool good = true;
    size_t next = first;
    int running = 0;
    load_whole(&w, path);
    struct tally *t = mmap(NULL, JOBS * sizeof *t, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FUZZ_CHECK(t != MAP_FAILED, "out of memory");
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){.whole = &w, .tally = &t[i]};
        set_paths(&jobs[i], folder, i);
    }
    do {
        for (int i = 0; i < JOBS; i++)
            if (!jobs[i].child)
                running += start_batch(&jobs[i], &next, step);
        if (running > 0)
            good &= take_batch(jobs, &all);
        running--;
    } while (running >= 0);
    const size_t cuts = all.refused + all.empty + all.rows;
    printf("%s: %zu bytes, %zu cuts: %zu refused, %zu read without rows, %zu with "
           "rows; %zu states, %zu copies, %zu resumed; slowest %.2f s\n",
           path, w.n, cuts, all.refused, all.empty, all.rows, all.states,
           all.copies, all.resumed, all.slowest_s);
    munmap(t, JOBS * sizeof *t);
    free_whole(&w);
    return good;
}

int main(int argc, char **argv)
{
    char folder[] = "/dev/shm/dfopt-cut-XXXXXX";
    const size_t step = argc > 3 ? strtoul(argv[1], NULL, 10) : 0;
    bool good = true;
    FUZZ_CHECK(step > 0, "usage: declog_cut STEP FIRST FILE...");
    FUZZ_CHECK(mkdtemp(folder), "%s", folder);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 3; i < argc; i++)
        good &= cut_file(argv[i], folder, step, strtoul(argv[2], NULL, 10));
    rmdir(folder);
    return good ? 0 : 1;
}
