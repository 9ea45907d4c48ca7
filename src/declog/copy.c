/* Copies a log, to resume or repair it. HDF5 cannot reopen a file that its SWMR
 * writer did not close, and repairing it in place would risk the only copy. So
 * everything that the last commit counts is copied to a new file, chunk by
 * chunk without unpacking. To resume, that file is made beside the log and
 * replaces it once it is complete and on disk.
 *
 * Invariant: the old file is not touched before the rename. */
#include "declog/h5.h"
#include "declog/reader_impl.h"
#include "declog/writer_impl.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_ROWS 4096

struct copy {
    struct dfopt_declog_reader *from;
    struct dfopt_declog *to;
    struct dfopt_buf bytes; /* a chunk of every column, or a block of rows */
    struct dfopt_error *err;
};

static enum dfopt_err no_memory(const struct copy *c)
{
    return dfopt_error_set(c->err, DFOPT_ERR_NOMEM, "%s: out of memory",
                           c->from->path);
}

/* Makes a failure the writer's and returns its text. */
static enum dfopt_err failed(const struct copy *c, enum dfopt_err e,
                             const char *what)
{
    e = dfopt_declog_check(c->to, e, what);
    if (e)
        *c->err = *dfopt_declog_error(c->to);
    return e;
}

/* ---- whole chunks ---- */

/* Whether two datasets have chunks of the same size and filters. */
static bool are_alike(hid_t a, hid_t b)
{
    hid_t of[2] = {H5Dget_create_plist(a), H5Dget_create_plist(b)};
    hsize_t rows[2] = {0, 0};
    int filters[2] = {-1, -1};
    H5Z_filter_t kinds[2][4] = {{0}};
    bool ok = true;
    for (int i = 0; i < 2 && ok; i++) {
        ok = of[i] >= 0 && H5Pget_chunk(of[i], 1, &rows[i]) == 1;
        filters[i] = ok ? H5Pget_nfilters(of[i]) : -1;
        ok = filters[i] >= 0 && filters[i] <= 4;
        for (int j = 0; ok && j < filters[i]; j++)
            kinds[i][j] =
                H5Pget_filter2(of[i], (unsigned)j, NULL, NULL, NULL, 0, NULL, NULL);
    }
    dfopt_h5_close(of[0]);
    dfopt_h5_close(of[1]);
    return ok && rows[0] == rows[1] && filters[0] == filters[1] &&
           memcmp(kinds[0], kinds[1], sizeof kinds[0]) == 0;
}

static hid_t open_column(const struct copy *c, const struct dfopt_layout *l,
                         size_t column)
{
    char name[96];
    snprintf(name, sizeof name, "%s/%s", l->group, l->columns[column].name);
    return H5Dopen2(c->from->file, name, H5P_DEFAULT);
}

/* Copies the chunk that starts at row `row`. */
static enum dfopt_err copy_chunk(struct copy *c, struct dfopt_store *s,
                                 const hid_t *columns, hsize_t row)
{
    const size_t n = s->layout->n_columns;
    struct dfopt_packed packed[DFOPT_COLUMNS_MAX];
    dfopt_buf_clear(&c->bytes);
    for (size_t i = 0; i < n; i++) {
        hsize_t size;
        if (H5Dget_chunk_storage_size(columns[i], &row, &size) < 0 || size == 0)
            return DFOPT_ERR_IO;
        const size_t at = c->bytes.len;
        if (!dfopt_buf_grow(&c->bytes, (size_t)size))
            return DFOPT_ERR_NOMEM;
        if (H5Dread_chunk(columns[i], H5P_DEFAULT, &row, &packed[i].filters_off,
                          c->bytes.data + at) < 0)
            return DFOPT_ERR_IO;
        packed[i].len = (size_t)size;
    }
    const char *at = c->bytes.data; /* it no longer moves */
    for (size_t i = 0; i < n; i++) {
        packed[i].bytes = at;
        at += packed[i].len;
    }
    return dfopt_store_add_chunk(s, packed);
}

/* Copies the chunks with committed rows only, if the new file's are alike. */
static enum dfopt_err copy_chunks(struct copy *c, struct dfopt_store *s,
                                  uint64_t rows)
{
    const struct dfopt_layout *l = s->layout;
    const uint64_t whole = rows - rows % l->chunk_rows;
    hid_t columns[DFOPT_COLUMNS_MAX];
    bool alike = true;
    enum dfopt_err e = DFOPT_OK;
    if (whole == 0)
        return DFOPT_OK;
    for (size_t i = 0; i < l->n_columns; i++) {
        columns[i] = open_column(c, l, i);
        alike =
            alike && columns[i] >= 0 && are_alike(columns[i], s->series[i].dataset);
    }
    for (uint64_t row = 0; alike && !e && row < whole; row += l->chunk_rows)
        e = copy_chunk(c, s, columns, row);
    for (size_t i = 0; i < l->n_columns; i++)
        dfopt_h5_close(columns[i]);
    return failed(c, e, "cannot copy the log");
}

/* ---- rows ---- */

static enum dfopt_err read_rows(struct copy *c, size_t store, uint64_t first,
                                size_t n, const void **rows)
{
    if (store >= DFOPT_TABLE_COUNT) {
        const struct dfopt_declog_text elements = {first, first + n};
        const enum dfopt_declog_pool pool =
            (enum dfopt_declog_pool)(store - DFOPT_TABLE_COUNT);
        return dfopt_reader_look_at(c->from, pool, elements, rows, c->err);
    }
    *rows = c->bytes.data;
    return dfopt_declog_reader_read(c->from, (enum dfopt_declog_table)store, first,
                                    n, c->bytes.data, c->err);
}

static enum dfopt_err copy_store(struct copy *c, size_t store, uint64_t rows)
{
    struct dfopt_store *s = &c->to->store[store];
    const size_t block = BLOCK_ROWS * s->layout->row_size;
    enum dfopt_err e = copy_chunks(c, s, rows);
    uint64_t at = dfopt_store_rows(s);
    dfopt_buf_clear(&c->bytes);
    if (!e && !dfopt_buf_grow(&c->bytes, block))
        return no_memory(c);
    while (!e && at < rows) {
        const size_t n = rows - at < BLOCK_ROWS ? (size_t)(rows - at) : BLOCK_ROWS;
        const void *from;
        e = read_rows(c, store, at, n, &from);
        if (!e)
            e = failed(c, dfopt_store_add(s, &c->to->packer, from, n),
                       "cannot copy the log");
        at += n;
    }
    return e;
}

/* ---- rows to keep ---- */

/* The offset of the event number in the rows of a table. */
static const struct {
    enum dfopt_declog_table table;
    size_t seq;
} events[] = {
    {DFOPT_TABLE_FINDINGS, offsetof(struct dfopt_declog_finding_row, seq)},
    {DFOPT_TABLE_REJECTS, offsetof(struct dfopt_declog_reject_row, seq)},
    {DFOPT_TABLE_VERDICTS, offsetof(struct dfopt_verdict_row, seq)},
    {DFOPT_TABLE_PLANS, offsetof(struct dfopt_declog_plan_row, p.seq)},
    {DFOPT_TABLE_ACKS, offsetof(struct dfopt_declog_ack_row, seq)},
    {DFOPT_TABLE_REGISTRATIONS,
     offsetof(struct dfopt_declog_registration_row, seq)},
    {DFOPT_TABLE_GLOBAL_PLANS, offsetof(struct dfopt_relay_row, seq)},
    {DFOPT_TABLE_SUPPRESSIONS, offsetof(struct dfopt_suppression_row, seq)},
    {DFOPT_TABLE_TIMEOUTS, offsetof(struct dfopt_timeout_row, seq)},
    {DFOPT_TABLE_SEEN, offsetof(struct dfopt_seen_row, seq)},
    {DFOPT_TABLE_ORIGINS, offsetof(struct dfopt_declog_origin_row, seq)},
    {DFOPT_TABLE_OBJECTIVES, offsetof(struct dfopt_declog_objective_row, seq)},
    {DFOPT_TABLE_OUTCOMES, offsetof(struct dfopt_declog_outcome_row, o.seq)},
    {DFOPT_TABLE_CONTROLS, offsetof(struct dfopt_declog_control_row, seq)},
    /* rows owned by rows of another table, by that row's number */
    {DFOPT_TABLE_KNOBS, offsetof(struct dfopt_declog_knob_row, registration)},
    {DFOPT_TABLE_KNOB_VALUES,
     offsetof(struct dfopt_declog_knob_value_row, knob_row)},
    {DFOPT_TABLE_RESPONSES, offsetof(struct dfopt_declog_response_row, knob_row)},
};

union any_row {
    struct dfopt_declog_finding_row finding;
    struct dfopt_declog_plan_row plan;
    struct dfopt_declog_ack_row ack;
    struct dfopt_declog_registration_row registration;
    struct dfopt_declog_knob_row knob;
    struct dfopt_declog_response_row response;
    char bytes[512];
};

/* Rows with numbers below this are kept. */
static uint64_t limit_of(const struct dfopt_declog_commit_row *keep,
                         enum dfopt_declog_table table)
{
    switch (table) {
    case DFOPT_TABLE_KNOBS:
        return keep->rows[DFOPT_TABLE_REGISTRATIONS];
    case DFOPT_TABLE_KNOB_VALUES:
    case DFOPT_TABLE_RESPONSES:
        return keep->rows[DFOPT_TABLE_KNOBS];
    default:
        return keep->at.next_seq;
    }
}

static bool is_kept(const union any_row *row, size_t seq_at,
                    enum dfopt_declog_table table, uint64_t limit)
{
    uint64_t seq;
    memcpy(&seq, row->bytes + seq_at, sizeof seq);
    if (table == DFOPT_TABLE_REGISTRATIONS &&
        row->registration.source != DFOPT_SOURCE_EVENT)
        return seq <= limit; /* it precedes the event of that number */
    return seq < limit;
}

/* Counts the rows to keep: the last ones may belong to events that are
 * incomplete in the log. */
static enum dfopt_err count_rows(struct copy *c, size_t i,
                                 struct dfopt_declog_commit_row *keep)
{
    const enum dfopt_declog_table table = events[i].table;
    const uint64_t limit = limit_of(keep, table);
    uint64_t low = 0, high = keep->rows[table],
             at = high - 1; /* try the last one */
    union any_row row;
    while (low < high) {
        enum dfopt_err e =
            dfopt_declog_reader_read(c->from, table, at, 1, row.bytes, c->err);
        if (e)
            return e;
        if (is_kept(&row, events[i].seq, table, limit))
            low = at + 1;
        else
            high = at;
        at = low + (high - low) / 2;
    }
    keep->rows[table] = low;
    return DFOPT_OK;
}

/* The pools end with the last kept rows. */
static enum dfopt_err count_texts(struct copy *c,
                                  struct dfopt_declog_commit_row *keep)
{
    union any_row row;
    enum dfopt_err e = DFOPT_OK;
    memset(&row, 0, sizeof row);
    if (keep->rows[DFOPT_TABLE_PLANS])
        e = dfopt_declog_reader_read(c->from, DFOPT_TABLE_PLANS,
                                     keep->rows[DFOPT_TABLE_PLANS] - 1, 1, &row,
                                     c->err);
    keep->pool[DFOPT_POOL_RATIONALE] = row.plan.rationale.end;
    memset(&row, 0, sizeof row);
    if (!e && keep->rows[DFOPT_TABLE_ACKS])
        e = dfopt_declog_reader_read(c->from, DFOPT_TABLE_ACKS,
                                     keep->rows[DFOPT_TABLE_ACKS] - 1, 1, &row,
                                     c->err);
    keep->pool[DFOPT_POOL_PLAN_ID] = row.ack.given_plan_id.end;
    keep->pool[DFOPT_POOL_ACK_REASON] = row.ack.reason.end;
    memset(&row, 0, sizeof row);
    if (!e && keep->rows[DFOPT_TABLE_REGISTRATIONS])
        e = dfopt_declog_reader_read(c->from, DFOPT_TABLE_REGISTRATIONS,
                                     keep->rows[DFOPT_TABLE_REGISTRATIONS] - 1, 1,
                                     &row, c->err);
    keep->pool[DFOPT_POOL_BODY] = row.registration.body.end;
    return e;
}

/* Whether a row of /commits counts only kept rows. */
static bool fits(const struct dfopt_declog_commit_row *row,
                 const struct dfopt_declog_commit_row *keep)
{
    for (size_t i = 0; i < DFOPT_TABLE_COUNT; i++)
        if (row->rows[i] > keep->rows[i])
            return false;
    return true;
}

static enum dfopt_err copy_commits(struct copy *c,
                                   const struct dfopt_declog_commit_row *keep)
{
    struct dfopt_declog_commit_row rows[64];
    const uint64_t n = c->from->run.commits;
    hid_t type = dfopt_commit_hdf5_type();
    enum dfopt_err e = type < 0 ? DFOPT_ERR_IO : DFOPT_OK;
    for (uint64_t at = 0; !e && at < n; at += 64) {
        const size_t some = n - at < 64 ? (size_t)(n - at) : 64;
        size_t good = 0;
        if (!dfopt_reader_elements(c->from->commits, type, at, some, rows))
            e = DFOPT_ERR_IO;
        while (!e && good < some && fits(&rows[good], keep))
            good++;
        if (!e)
            e = dfopt_declog_put_commits(c->to, rows, good);
        if (good < some)
            break;
    }
    dfopt_h5_close(type);
    return failed(c, e, "cannot copy the log");
}

static enum dfopt_err copy_all(struct copy *c)
{
    struct dfopt_declog_commit_row keep = c->from->run.last;
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; !e && i < sizeof events / sizeof *events; i++)
        e = count_rows(c, i, &keep);
    if (!e)
        e = count_texts(c, &keep);
    for (size_t i = 0; !e && i < DFOPT_STORE_COUNT; i++)
        e = copy_store(c, i,
                       i < DFOPT_TABLE_COUNT ? keep.rows[i]
                                             : keep.pool[i - DFOPT_TABLE_COUNT]);
    c->to->strings = (uint32_t)keep.rows[DFOPT_TABLE_STRINGS];
    c->to->lists = (uint32_t)keep.rows[DFOPT_TABLE_LISTS];
    c->to->at = keep.at;
    return e ? e : copy_commits(c, &keep);
}

/* ---- the new file ---- */

/* The compression level that a file was created with. */
static int compression_of(const struct dfopt_declog_reader *r)
{
    unsigned level = 0, flags;
    size_t n = 1;
    hid_t dataset = H5Dopen2(r->file, "strings/bytes", H5P_DEFAULT);
    hid_t plist = dataset < 0 ? -1 : H5Dget_create_plist(dataset);
    if (plist < 0 || H5Pget_filter_by_id2(plist, H5Z_FILTER_DEFLATE, &flags, &n,
                                          &level, 0, NULL, NULL) < 0)
        level = 0;
    dfopt_h5_close(plist);
    dfopt_h5_close(dataset);
    H5Eclear2(H5E_DEFAULT);
    return (int)level;
}

/* The attributes and creation options of the old file. */
static struct dfopt_declog_options options_of(const struct dfopt_declog_reader *r)
{
    const struct dfopt_declog_run *run = &r->run;
    struct dfopt_declog_options o = {.compression = compression_of(r),
                                     .created_ns = run->created_ns,
                                     .ranks = (int)run->ranks,
                                     .format_version = (int)run->format_version,
#define RUN_TEXT(name, text) .name = run->name,
                                     DFOPT_RUN_TEXT_LIST(RUN_TEXT)
#undef RUN_TEXT
    };
    for (uint32_t d = 0; d < DFOPT_DETAIL_COUNT; d++)
        if (strcmp(run->detail, dfopt_declog_detail_name(d)) == 0)
            o.detail = d;
    return o;
}

/* Writes what the stores still hold in memory. */
static enum dfopt_err write_rest(struct dfopt_declog *w)
{
    enum dfopt_err e = DFOPT_OK;
    for (size_t i = 0; !e && i < DFOPT_STORE_COUNT; i++)
        e = dfopt_store_write(&w->store[i], &w->packer);
    return e;
}

/* Makes the file at the path, with a row for the new run (NULL: no new run). */
static enum dfopt_err copy_log(struct copy *c, const struct dfopt_dict *dict,
                               const char *path,
                               const struct dfopt_declog_options *next)
{
    const char *what = next ? "cannot resume" : "cannot copy the log";
    struct dfopt_declog_options made = options_of(c->from);
    made.path = path;
    if (next)
        made.min_effect = next->min_effect;
    const struct dfopt_place replaces =
        next ? c->from->place : (struct dfopt_place){0};
    enum dfopt_err e = dfopt_declog_make(&c->to, dict, &made, &replaces, c->err);
    if (e)
        return e;
    e = copy_all(c);
    if (!next) { /* adds no names */
        c->to->strings = dfopt_dict_strings(dict);
        c->to->lists = dfopt_dict_lists(dict);
    }
    if (!e)
        e = failed(c,
                   next ? dfopt_declog_begin_run(c->to, next) : write_rest(c->to),
                   what);
    if (!e)
        e = failed(c, dfopt_declog_go_live(c->to, true), what);
    dfopt_buf_free(&c->bytes);
    if (e)
        dfopt_declog_drop(c->to);
    return e;
}

enum dfopt_err dfopt_declog_resume(struct dfopt_declog **out,
                                   const struct dfopt_dict *dict,
                                   struct dfopt_declog_reader *r,
                                   const struct dfopt_declog_options *options,
                                   struct dfopt_error *err)
{
    struct copy c = {.from = r, .err = err};
    if (r->run.format_version < DFOPT_DECLOG_VERSION)
        return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                               "cannot resume %s: log format %d is not supported; "
                               "use dfopt-mpi 0.1 or start a new log",
                               r->path, (int)r->run.format_version);
    enum dfopt_err e = copy_log(&c, dict, r->path, options);
    if (!e)
        *out = c.to;
    return e;
}

enum dfopt_err dfopt_declog_copy(struct dfopt_declog_reader *r, const char *path,
                                 struct dfopt_error *err)
{
    struct copy c = {.from = r, .err = err};
    if (access(path, F_OK) == 0)
        return dfopt_error_set(err, DFOPT_ERR_IO,
                               "%s: already exists; give a new file", path);
    enum dfopt_err e = copy_log(&c, r->dict, path, NULL);
    return e ? e : dfopt_declog_close(&c.to, r->run.complete, err);
}
