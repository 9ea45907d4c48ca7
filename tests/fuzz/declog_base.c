#include "declog_base.h"

#include "declog/layout.h"
#include "declog/reader.h"
#include "declog/writer.h"
#include "fuzz.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS      3 /* of each table */
#define FILES_MAX 4

/* ---- writing ---- */

static struct dfopt_value text_value(struct dfopt_dict *dict, const char *text)
{
    return (struct dfopt_value){.kind = DFOPT_KIND_STR,
                                .str = dfopt_dict_intern_z(dict, text)};
}

static enum dfopt_err add_findings(struct dfopt_declog *w, struct dfopt_dict *dict)
{
    const dfopt_sym tags[] = {dfopt_dict_intern_z(dict, "dataloader_prefetch"),
                              dfopt_dict_intern_z(dict, "reader_parallelism")};
    enum dfopt_err e = DFOPT_OK;
    for (uint64_t i = 0; i < ROWS && !e; i++) {
        struct dfopt_finding_row row = {.seq = i};
        row.f.tags = dfopt_dict_intern_list(dict, tags, 1 + i % 2);
        row.f.type = dfopt_dict_intern_z(dict, "fetch_pressure");
        row.f.node = dfopt_dict_intern_z(dict, "nid0001");
        e = dfopt_declog_findings(w, &row, 1);
    }
    return e;
}

#define ADD(buf, ...)                                                              \
    FUZZ_CHECK(!dfopt_buf_add((buf), &(__VA_ARGS__), sizeof(__VA_ARGS__)),         \
               "out of memory")

static enum dfopt_err add_decisions(struct dfopt_declog *w, struct dfopt_dict *dict)
{
    const dfopt_sym knob = dfopt_dict_intern_z(dict, "dlio.prefetch_size");
    struct dfopt_decisions d = {.plans = {0}};
    for (uint64_t i = 0; i < ROWS; i++) {
        ADD(&d.verdicts, (struct dfopt_verdict_row){.seq = i, .knob = knob});
        ADD(&d.plans,
            (struct dfopt_plan){.seq = i,
                                .relay_id = DFOPT_SYM_NONE,
                                .knob = knob,
                                .rationale = dfopt_dict_intern_z(dict, "because"),
                                .new_value = text_value(dict, "lustre")});
        ADD(&d.suppressions, (struct dfopt_suppression_row){.seq = i});
        ADD(&d.timeouts, (struct dfopt_timeout_row){.seq = i, .knob = knob});
        ADD(&d.seen, (struct dfopt_seen_row){.seq = i});
    }
    enum dfopt_err e = dfopt_declog_decisions(w, &d);
    dfopt_decisions_free(&d);
    return e;
}

static enum dfopt_err add_registration(struct dfopt_declog *w,
                                       struct dfopt_dict *dict)
{
    static const char body[] = "{\"namespace\":\"app\",\"knobs\":{}}";
    struct dfopt_value values[] = {{.kind = DFOPT_KIND_INT, .i = 3},
                                   text_value(dict, "posix")};
    struct dfopt_response response = {
        .tag = dfopt_dict_intern_z(dict, "reader_parallelism")};
    struct dfopt_knob knob = {.id = dfopt_dict_intern_z(dict, "app.threads"),
                              .values = values,
                              .n_values = 2,
                              .responses = &response,
                              .n_responses = 1};
    const struct dfopt_registration r = {.knobs = &knob, .n_knobs = 1};
    const struct dfopt_declog_registration row = {.seq = 1,
                                                  .source = DFOPT_SOURCE_EVENT,
                                                  .body = body,
                                                  .body_len = sizeof body - 1,
                                                  .accepted = &r};
    return dfopt_declog_registration(w, &row);
}

static enum dfopt_err add_acks(struct dfopt_declog *w, struct dfopt_dict *dict)
{
    const struct dfopt_ack given = {.knob =
                                        dfopt_dict_intern_z(dict, "app.threads")};
    const struct dfopt_ack_row outcome = {.seq = 2, .knob = given.knob};
    const struct dfopt_declog_ack row = {.seq = 2,
                                         .given = &given,
                                         .outcome = &outcome,
                                         .plan_id = "plan_0000000000000001",
                                         .plan_id_len = 21,
                                         .reason = "asked",
                                         .reason_len = 5};
    return dfopt_declog_ack(w, &row);
}

static enum dfopt_err add_rest(struct dfopt_declog *w, struct dfopt_dict *dict)
{
    const dfopt_sym file = dfopt_dict_intern_z(dict, "findings.jsonl");
    const struct dfopt_declog_origin_row origin = {.seq = 0, .origin = file};
    const struct dfopt_declog_reject_row reject = {
        .seq = 2, .line = 3, .origin = file, .reason = file};
    const struct dfopt_relay_row relay = {.seq = 2};
    enum dfopt_err e = dfopt_declog_origins(w, &origin, 1);
    if (!e)
        e = dfopt_declog_reject(w, &reject);
    return e ? e : dfopt_declog_relay(w, &relay);
}

static enum dfopt_err fill(struct dfopt_declog *w, struct dfopt_dict *dict)
{
    const struct dfopt_declog_position at = {.next_seq = ROWS,
                                             .origin = DFOPT_SYM_NONE};
    struct dfopt_error err = {.text = ""};
    enum dfopt_err (*const parts[])(struct dfopt_declog *, struct dfopt_dict *) = {
        add_findings, add_decisions, add_registration, add_acks, add_rest};
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !e; i++) {
        e = parts[i](w, dict);
        if (!e) /* so that there is more than one row of /commits */
            e = dfopt_declog_commit(w, &at, true, &err);
    }
    return e;
}

/* In a process of its own, for one that is not to close the log in order. */
static void write_log(const char *path, int compression, int complete)
{
    struct dfopt_dict *dict = NULL;
    struct dfopt_declog *w = NULL;
    struct dfopt_error err = {.text = ""};
    const struct dfopt_declog_options options = {.path = path,
                                                 .compression = compression,
                                                 .detail = DFOPT_DETAIL_FINDINGS,
                                                 .ranks = 1,
                                                 .preset = "default"};
    FUZZ_CHECK(!dfopt_dict_create(&dict, false) &&
                   !dfopt_declog_create(&w, dict, &options, &err) && !fill(w, dict),
               "%s", err.text);
    if (!complete)
        _exit(0);
    FUZZ_CHECK(!dfopt_declog_close(&w, true, &err), "%s", err.text);
    dfopt_dict_destroy(dict);
}

static void run_writer(const char *path, int compression, int complete)
{
    int status = 0;
    if (complete) {
        write_log(path, compression, complete);
        return;
    }
    const pid_t child = fork();
    if (child == 0) {
        write_log(path, compression, complete);
        _exit(0);
    }
    FUZZ_CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0,
               "the writer ended with %d", status);
}

static char files[FILES_MAX][64];
static size_t n_files;

static void remove_files(void)
{
    while (n_files > 0)
        unlink(files[--n_files]);
}

/* HDF5 wants a file with a name. */
static const char *new_name(void)
{
    if (n_files == 0)
        atexit(remove_files);
    FUZZ_CHECK(n_files < FILES_MAX, "too many logs");
    char *name = files[n_files++];
    strcpy(name, "/tmp/dfopt-fuzz-XXXXXX");
    const int fd = mkstemp(name);
    FUZZ_CHECK(fd >= 0, "%s", name);
    close(fd);
    return name;
}

void declog_base_make(struct declog_base *b, int compression, int complete)
{
    struct dfopt_error err;
    struct stat st;
    b->path = new_name();
    run_writer(b->path, compression, complete);
    b->fd = open(b->path, O_RDWR | O_CLOEXEC);
    FUZZ_CHECK(b->fd >= 0 && fstat(b->fd, &st) == 0, "%s", b->path);
    b->n = (size_t)st.st_size;
    b->bytes = malloc(b->n);
    FUZZ_CHECK(b->bytes && pread(b->fd, b->bytes, b->n, 0) == (ssize_t)b->n,
               "cannot read it");
    FUZZ_CHECK(declog_base_read(b->path, &err), "%s", err.text);
}

/* ---- reading ---- */

/* A member of a row that names something. */
static void check_member(const struct dfopt_declog_reader *r,
                         const struct dfopt_column *c, const char *row)
{
    const struct dfopt_dict *dict = dfopt_declog_reader_dict(r);
    uint32_t n;
    memcpy(&n, row + c->offset, sizeof n);
    if (c->type == DFOPT_COLUMN_SYM)
        FUZZ_CHECK(n == UINT32_MAX || n < dfopt_dict_strings(dict), "%s %u",
                   c->name, n);
    else if (c->type == DFOPT_COLUMN_LIST)
        FUZZ_CHECK(n == UINT32_MAX || n < dfopt_dict_lists(dict), "%s %u", c->name,
                   n);
    else if (c->type == DFOPT_COLUMN_FLAG)
        FUZZ_CHECK(n < 2, "%s %u", c->name, n);
    else if (c->type == DFOPT_COLUMN_ENUM && c->n_names)
        FUZZ_CHECK(n < c->n_names, "%s %u", c->name, n);
}

/* Every byte of a text, which the sanitizer would see beyond its end. */
static int read_text(struct dfopt_declog_reader *r, const struct dfopt_column *c,
                     const char *row)
{
    struct dfopt_error err = {.text = ""};
    struct dfopt_declog_text text;
    const char *bytes = NULL;
    volatile uint8_t sum = 0;
    memcpy(&text, row + c->offset, sizeof text);
    if (c->pool == DFOPT_POOL_LISTS)
        return 1;
    if (dfopt_declog_reader_text(r, c->pool, text, &bytes, &err)) {
        FUZZ_CHECK(err.text[0], "an error without a text");
        return 0;
    }
    for (uint64_t i = 0; i < text.end - text.start; i++)
        sum = (uint8_t)(sum + (uint8_t)bytes[i]);
    return 1;
}

static int read_row(struct dfopt_declog_reader *r, enum dfopt_declog_table table,
                    const char *row)
{
    const struct dfopt_layout *l = dfopt_layout_of(table);
    int all = 1;
    for (size_t i = 0; i < l->n_columns; i++) {
        check_member(r, &l->columns[i], row);
        if (l->columns[i].type == DFOPT_COLUMN_TEXT)
            all &= read_text(r, &l->columns[i], row);
    }
    return all;
}

static int read_table(struct dfopt_declog_reader *r, enum dfopt_declog_table table)
{
    enum { BLOCK = 64 };
    const struct dfopt_layout *l = dfopt_layout_of(table);
    const uint64_t n = dfopt_declog_reader_rows(r, table);
    char *rows = malloc(BLOCK * l->row_size);
    int all = 1, ok = 1;
    FUZZ_CHECK(rows, "out of memory");
    for (uint64_t at = 0; ok && at < n; at += BLOCK) {
        struct dfopt_error err = {.text = ""};
        const size_t take = n - at < BLOCK ? (size_t)(n - at) : BLOCK;
        ok = !dfopt_declog_reader_read(r, table, at, take, rows, &err);
        FUZZ_CHECK(ok || err.text[0], "an error without a text");
        for (size_t i = 0; ok && i < take; i++)
            all &= read_row(r, table, rows + i * l->row_size);
    }
    free(rows);
    return ok && all;
}

int declog_base_read(const char *path, struct dfopt_error *err)
{
    struct dfopt_declog_reader *r = NULL;
    *err = (struct dfopt_error){.text = ""};
    if (dfopt_declog_reader_open(&r, path, err)) {
        FUZZ_CHECK(!r && err->text[0], "an error without a text");
        return 0;
    }
    int all = !dfopt_declog_reader_run(r)->cut;
    for (size_t t = 0; t < DFOPT_TABLE_COUNT; t++)
        all &= read_table(r, (enum dfopt_declog_table)t);
    dfopt_declog_reader_close(r);
    return all;
}
