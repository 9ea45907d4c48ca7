/* Reads a decision log. Invariants: a dataset is opened when first needed, and
 * refreshed once after each refresh of the reader; no element beyond the last
 * commit is read, and none is handed out unchecked. */
#include "declog/reader.h"
#include "declog/h5.h"
#include "declog/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK        8192  /* rows that are read at once */
#define WINDOW_BYTES 65536 /* of a pool, likewise */

struct series {
    hid_t dataset; /* 0: not open yet */
    uint64_t extent;
    uint64_t generation; /* of the reader, when last refreshed */
};

struct window { /* part of a pool */
    struct dfopt_buf buf;
    uint64_t start;
};

struct dfopt_declog_reader {
    char *path;
    hid_t file, commits;
    bool live; /* opened the SWMR way: it may grow */
    uint64_t generation;
    struct dfopt_declog_run run;
    struct dfopt_buf texts; /* of the run, one behind the other */
    struct dfopt_dict *dict;
    struct series series[DFOPT_STORE_COUNT][DFOPT_COLUMNS_MAX];
    struct window window[DFOPT_POOL_COUNT];
    struct dfopt_buf packed; /* scratch */
};

static enum dfopt_err damaged(const struct dfopt_declog_reader *r, const char *what,
                              struct dfopt_error *err)
{
    return dfopt_h5_error(err, DFOPT_ERR_FORMAT, r->path, what);
}

static enum dfopt_err no_memory(const struct dfopt_declog_reader *r,
                                struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory", r->path);
}

/* ---- elements ---- */

static uint64_t committed(const struct dfopt_declog_reader *r, size_t store)
{
    return store < DFOPT_TABLE_COUNT ? r->run.last.rows[store]
                                     : r->run.last.pool[store - DFOPT_TABLE_COUNT];
}

static bool extent_of(hid_t dataset, uint64_t *extent)
{
    hid_t space = H5Dget_space(dataset);
    hsize_t n = 0;
    bool ok = space >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
              H5Sget_simple_extent_dims(space, &n, NULL) == 1;
    dfopt_h5_close(space);
    *extent = n;
    return ok;
}

/* The column's dataset, as it is in the file now. */
static bool look_up(struct dfopt_declog_reader *r, size_t store, size_t column,
                    struct series *s)
{
    const struct dfopt_layout *l = dfopt_layout_of(store);
    if (s->dataset > 0) {
        if (s->generation == r->generation)
            return true;
        if (r->live && H5Drefresh(s->dataset) < 0)
            return false;
    } else {
        char name[96];
        snprintf(name, sizeof name, "%s/%s", l->group, l->columns[column].name);
        s->dataset = H5Dopen2(r->file, name, H5P_DEFAULT);
        if (s->dataset < 0) {
            s->dataset = 0;
            return false;
        }
    }
    s->generation = r->generation;
    return extent_of(s->dataset, &s->extent);
}

/* Reads elements of a dataset as the memory type. */
static bool read_elements(hid_t dataset, hid_t type, uint64_t first, size_t n,
                          void *out)
{
    hsize_t start = first, count = n;
    hid_t there = H5Dget_space(dataset);
    hid_t here = H5Screate_simple(1, &count, NULL);
    bool ok = there >= 0 && here >= 0 &&
              H5Sselect_hyperslab(there, H5S_SELECT_SET, &start, NULL, &count,
                                  NULL) >= 0 &&
              H5Dread(dataset, type, here, there, H5P_DEFAULT, out) >= 0;
    dfopt_h5_close(here);
    dfopt_h5_close(there);
    return ok;
}

/* Reads n > 0 elements of a column, which are committed. */
static enum dfopt_err read_column(struct dfopt_declog_reader *r, size_t store,
                                  size_t column, uint64_t first, size_t n,
                                  void *packed, struct dfopt_error *err)
{
    const struct dfopt_layout *l = dfopt_layout_of(store);
    const struct dfopt_column *c = &l->columns[column];
    struct series *s = &r->series[store][column];
    bool ok = look_up(r, store, column, s) && first + n <= s->extent;
    if (ok) {
        hid_t type = dfopt_column_hdf5_type(c);
        ok = type >= 0 && read_elements(s->dataset, type, first, n, packed);
        dfopt_h5_close(type);
    }
    if (ok)
        return DFOPT_OK;
    char what[128];
    snprintf(what, sizeof what, "damaged: cannot read /%s/%s", l->group, c->name);
    return damaged(r, what, err);
}

/* ---- what may be in a column ---- */

/* Numbers below this are good; so is UINT32_MAX, which is none. */
static uint64_t limit_of(const struct dfopt_declog_reader *r,
                         const struct dfopt_column *c)
{
    switch (c->type) {
    case DFOPT_COLUMN_SYM:
    case DFOPT_COLUMN_STR:
        return r->run.last.rows[DFOPT_TABLE_STRINGS];
    case DFOPT_COLUMN_LIST:
        return r->run.last.rows[DFOPT_TABLE_LISTS];
    default:
        return UINT64_MAX;
    }
}

/* The index of the first element that cannot be; n if there is none. */
static size_t first_bad(const struct dfopt_declog_reader *r,
                        const struct dfopt_column *c, const void *packed, size_t n)
{
    size_t i = 0;
    if (dfopt_column_size(c) == 4) {
        const uint32_t *u32 = packed;
        uint64_t limit = limit_of(r, c);
        while (i < n && (u32[i] < limit || u32[i] == UINT32_MAX))
            i++;
        return i;
    }
    const uint8_t *u8 = packed;
    uint32_t limit = c->type == DFOPT_COLUMN_FLAG ? 2 : c->n_names;
    if (dfopt_column_size(c) != 1 || limit == 0)
        return n;
    while (i < n && u8[i] < limit)
        i++;
    return i;
}

/* Completes texts whose ends are known; `end` is where the row before ends.
 * Returns the index of the first that cannot be; n if there is none. */
static size_t place_texts(const struct dfopt_column *c, uint64_t limit,
                          uint64_t end, size_t n, char *rows, size_t row_size)
{
    for (size_t i = 0; i < n; i++) {
        struct dfopt_declog_text text;
        char *at = rows + i * row_size + c->offset;
        memcpy(&text, at, sizeof text);
        if (text.end < end || text.end > limit)
            return i;
        text.start = end;
        end = text.end;
        memcpy(at, &text, sizeof text);
    }
    return n;
}

static enum dfopt_err bad_element(const struct dfopt_declog_reader *r,
                                  const struct dfopt_layout *l,
                                  const struct dfopt_column *c, uint64_t row,
                                  struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                           "%s: damaged: row %" PRIu64
                           " of /%s/%s names what is not there",
                           r->path, row, l->group, c->name);
}

static enum dfopt_err read_block_column(struct dfopt_declog_reader *r, size_t store,
                                        size_t column, uint64_t first, size_t n,
                                        char *rows, struct dfopt_error *err)
{
    const struct dfopt_layout *l = dfopt_layout_of(store);
    const struct dfopt_column *c = &l->columns[column];
    void *packed = r->packed.data;
    uint64_t end = 0;
    enum dfopt_err e = DFOPT_OK;
    if (c->type == DFOPT_COLUMN_TEXT && first > 0)
        e = read_column(r, store, column, first - 1, 1, &end, err);
    if (!e)
        e = read_column(r, store, column, first, n, packed, err);
    if (e)
        return e;
    size_t good = first_bad(r, c, packed, n);
    if (good == n) {
        dfopt_column_scatter(c, packed, n, rows, l->row_size);
        if (c->type == DFOPT_COLUMN_TEXT)
            good = place_texts(c, r->run.last.pool[c->pool], end, n, rows,
                               l->row_size);
    }
    return good == n ? DFOPT_OK : bad_element(r, l, c, first + good, err);
}

/* What plans hold beside their columns reads as none. */
static void finish_plans(struct dfopt_declog_plan_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct dfopt_plan *p = &rows[i].p;
        p->rationale = p->motif = p->trend = p->scope = DFOPT_SYM_NONE;
    }
}

enum dfopt_err dfopt_declog_reader_read(struct dfopt_declog_reader *r,
                                        enum dfopt_declog_table table,
                                        uint64_t first, size_t n, void *rows,
                                        struct dfopt_error *err)
{
    const struct dfopt_layout *l = dfopt_layout_of(table);
    uint64_t there = committed(r, table);
    if (first > there || n > there - first)
        return dfopt_error_set(err, DFOPT_ERR_ARG, "%s: /%s has %" PRIu64 " rows",
                               r->path, l->group, there);
    char *at = rows;
    while (n > 0) {
        size_t take = n < BLOCK ? n : BLOCK;
        memset(at, 0, take * l->row_size);
        for (size_t i = 0; i < l->n_columns; i++) {
            enum dfopt_err e = read_block_column(r, table, i, first, take, at, err);
            if (e)
                return e;
        }
        if (table == DFOPT_TABLE_PLANS)
            finish_plans((void *)at, take);
        at += take * l->row_size;
        first += take;
        n -= take;
    }
    return DFOPT_OK;
}

/* ---- texts and names ---- */

/* Points at elements of a pool: *at, borrowed until the next call for it. */
static enum dfopt_err look_at(struct dfopt_declog_reader *r,
                              enum dfopt_declog_pool pool,
                              struct dfopt_declog_text text, const void **at,
                              struct dfopt_error *err)
{
    static const char nothing[] = "";
    size_t store = DFOPT_STORE_OF_POOL(pool);
    size_t size = dfopt_layout_of(store)->row_size;
    uint64_t there = committed(r, store);
    struct window *w = &r->window[pool];
    if (text.start > text.end || text.end > there)
        return dfopt_error_set(err, DFOPT_ERR_ARG, "%s: no such text", r->path);
    *at = nothing;
    if (text.start == text.end)
        return DFOPT_OK;
    if (text.start < w->start || text.end > w->start + w->buf.len / size) {
        uint64_t n = text.end - text.start;
        if (n < WINDOW_BYTES)
            n = there - text.start < WINDOW_BYTES ? there - text.start
                                                  : WINDOW_BYTES;
        dfopt_buf_clear(&w->buf);
        if (n > SIZE_MAX / 8 || !dfopt_buf_grow(&w->buf, (size_t)n * size))
            return no_memory(r, err);
        enum dfopt_err e =
            read_column(r, store, 0, text.start, (size_t)n, w->buf.data, err);
        if (e) {
            dfopt_buf_clear(&w->buf);
            return e;
        }
        w->start = text.start;
    }
    *at = w->buf.data + (text.start - w->start) * size;
    return DFOPT_OK;
}

enum dfopt_err dfopt_declog_reader_text(struct dfopt_declog_reader *r,
                                        enum dfopt_declog_pool pool,
                                        struct dfopt_declog_text text,
                                        const char **bytes, struct dfopt_error *err)
{
    const void *at;
    enum dfopt_err e = look_at(r, pool, text, &at, err);
    if (!e)
        *bytes = at;
    return e;
}

/* Defines string or list number i, whose items are at text. */
static enum dfopt_err define(struct dfopt_declog_reader *r,
                             enum dfopt_declog_table t, uint32_t i,
                             struct dfopt_declog_text text, struct dfopt_error *err)
{
    bool list = t == DFOPT_TABLE_LISTS;
    size_t n = (size_t)(text.end - text.start);
    const void *at;
    enum dfopt_err e =
        look_at(r, list ? DFOPT_POOL_LISTS : DFOPT_POOL_STRINGS, text, &at, err);
    if (e)
        return e;
    if (list) {
        static const struct dfopt_column item = {.type = DFOPT_COLUMN_SYM};
        if (n > 0 && first_bad(r, &item, at, n) < n)
            return bad_element(r, dfopt_layout_of(t), dfopt_layout_of(t)->columns,
                               i, err);
        e = dfopt_dict_define_list(r->dict, i, n ? at : NULL, n);
    } else {
        e = dfopt_dict_define(r->dict, i, at, n);
    }
    if (e == DFOPT_ERR_NOMEM)
        return no_memory(r, err);
    return e ? bad_element(r, dfopt_layout_of(t), dfopt_layout_of(t)->columns, i,
                           err)
             : DFOPT_OK;
}

/* Takes over the strings or lists from number `from` on. */
static enum dfopt_err load_names(struct dfopt_declog_reader *r,
                                 enum dfopt_declog_table t, uint64_t from,
                                 struct dfopt_error *err)
{
    uint64_t n = committed(r, t);
    if (n > INT32_MAX) /* numbers above are local ones */
        return damaged(r, "damaged: too many strings or lists", err);
    struct dfopt_declog_entry_row rows[256];
    while (from < n) {
        size_t take = n - from < 256 ? (size_t)(n - from) : 256;
        enum dfopt_err e = dfopt_declog_reader_read(r, t, from, take, rows, err);
        for (size_t i = 0; !e && i < take; i++)
            e = define(r, t, (uint32_t)(from + i), rows[i].items, err);
        if (e)
            return e;
        from += take;
    }
    return DFOPT_OK;
}

/* ---- opening ---- */

/* Whether b may follow a: no count goes back. */
static bool follows(const struct dfopt_declog_commit_row *a,
                    const struct dfopt_declog_commit_row *b)
{
    bool ok = true;
    for (size_t i = 0; i < DFOPT_TABLE_COUNT; i++)
        ok = ok && a->rows[i] <= b->rows[i];
    for (size_t i = 0; i < DFOPT_POOL_COUNT; i++)
        ok = ok && a->pool[i] <= b->pool[i];
    return ok;
}

static bool read_complete(struct dfopt_declog_reader *r, bool *complete)
{
    uint8_t mark = 0;
    uint64_t n;
    hid_t dataset = H5Dopen2(r->file, "complete", H5P_DEFAULT);
    bool ok = dataset >= 0 && extent_of(dataset, &n) && n == 1 &&
              read_elements(dataset, H5T_NATIVE_UINT8, 0, 1, &mark);
    dfopt_h5_close(dataset);
    *complete = mark == 1;
    return ok;
}

/* Reads complete first: the last commit before the mark is then there too. */
static enum dfopt_err load_commit(struct dfopt_declog_reader *r,
                                  struct dfopt_error *err)
{
    struct dfopt_declog_run next = r->run;
    struct dfopt_declog_commit_row row = {.rows = {0}};
    if (!read_complete(r, &next.complete))
        return damaged(r, "damaged: cannot read /complete", err);
    if (r->live && H5Drefresh(r->commits) < 0)
        return damaged(r, "damaged: cannot read /commits", err);
    if (!extent_of(r->commits, &next.commits))
        return damaged(r, "damaged: cannot read /commits", err);
    if (next.commits > 0) {
        hid_t type = dfopt_commit_hdf5_type();
        bool ok =
            type >= 0 && read_elements(r->commits, type, next.commits - 1, 1, &row);
        dfopt_h5_close(type);
        if (!ok)
            return damaged(r, "damaged: cannot read /commits", err);
    }
    if (!follows(&r->run.last, &row))
        return damaged(r, "damaged: the last commit takes back rows", err);
    if (row.at.origin >= row.rows[DFOPT_TABLE_STRINGS])
        row.at.origin = DFOPT_SYM_NONE;
    next.last = row;
    r->run = next;
    return DFOPT_OK;
}

enum dfopt_err dfopt_declog_reader_refresh(struct dfopt_declog_reader *r,
                                           struct dfopt_error *err)
{
    uint64_t strings = r->run.last.rows[DFOPT_TABLE_STRINGS];
    uint64_t lists = r->run.last.rows[DFOPT_TABLE_LISTS];
    struct dfopt_declog_run before = r->run;
    enum dfopt_err e = load_commit(r, err);
    if (e)
        return e;
    r->generation++;
    e = load_names(r, DFOPT_TABLE_STRINGS, strings, err);
    if (!e)
        e = load_names(r, DFOPT_TABLE_LISTS, lists, err);
    if (e)
        r->run = before;
    return e;
}

static enum dfopt_err read_run(struct dfopt_declog_reader *r,
                               struct dfopt_error *err)
{
    struct dfopt_declog_run *run = &r->run;
    const struct {
        const char *name, **text;
    } texts[] = {{"hdf5_version", &run->hdf5_version},
                 {"created", &run->created},
                 {"detail", &run->detail},
#define RUN_TEXT(member) {#member, &run->member},
                 DFOPT_RUN_TEXT_LIST(RUN_TEXT)
#undef RUN_TEXT
    };
    size_t n = sizeof texts / sizeof *texts, at[sizeof texts / sizeof *texts];
    for (size_t i = 0; i < n; i++) {
        at[i] = r->texts.len;
        if (dfopt_h5_read_text(r->file, texts[i].name, &r->texts) < 0)
            return damaged(r, "damaged: an attribute of the run is missing", err);
    }
    for (size_t i = 0; i < n; i++) /* the buffer has stopped moving */
        *texts[i].text = r->texts.data + at[i];
    if (dfopt_h5_read_int(r->file, "ranks", &run->ranks) < 0 ||
        dfopt_h5_read_int(r->file, "created_ns", &run->created_ns) < 0)
        return damaged(r, "damaged: an attribute of the run is missing", err);
    return DFOPT_OK;
}

static enum dfopt_err check_format(struct dfopt_declog_reader *r,
                                   struct dfopt_error *err)
{
    struct dfopt_buf format = {0};
    bool ours =
        dfopt_h5_read_text(r->file, "format", &format) >= 0 &&
        strcmp(format.data, DFOPT_DECLOG_FORMAT) == 0 &&
        dfopt_h5_read_int(r->file, "format_version", &r->run.format_version) >= 0;
    dfopt_buf_free(&format);
    H5Eclear2(H5E_DEFAULT);
    if (!ours)
        return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                               "%s: an HDF5 file, but no decision log", r->path);
    if (r->run.format_version < 1 || r->run.format_version > DFOPT_DECLOG_VERSION)
        return dfopt_error_set(
            err, DFOPT_ERR_FORMAT,
            "%s: format version %" PRId64 "; this program reads up to %d", r->path,
            r->run.format_version, DFOPT_DECLOG_VERSION);
    return DFOPT_OK;
}

static enum dfopt_err open_file(struct dfopt_declog_reader *r,
                                struct dfopt_error *err)
{
    if (access(r->path, R_OK) < 0)
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", r->path,
                               strerror(errno));
    unsigned intent = 0;
    r->file = dfopt_h5_open(r->path);
    if (r->file >= 0 && H5Fget_intent(r->file, &intent) >= 0) {
        r->live = (intent & H5F_ACC_SWMR_READ) != 0;
        H5Eclear2(H5E_DEFAULT); /* of the plain open that was refused */
        return DFOPT_OK;
    }
    enum dfopt_err e = damaged(r, "an HDF5 file that cannot be opened", err);
    if (H5Fis_hdf5(r->path) > 0)
        return e;
    H5Eclear2(H5E_DEFAULT);
    return dfopt_error_set(err, DFOPT_ERR_FORMAT, "%s: not an HDF5 file", r->path);
}

enum dfopt_err dfopt_declog_reader_open(struct dfopt_declog_reader **out,
                                        const char *path, struct dfopt_error *err)
{
    dfopt_h5_quiet();
    struct dfopt_declog_reader *r = calloc(1, sizeof *r);
    if (!r)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory", path);
    r->file = r->commits = -1;
    r->path = strdup(path);
    if (!r->path || dfopt_dict_create(&r->dict, true) != DFOPT_OK ||
        dfopt_buf_reserve(&r->packed, BLOCK * sizeof(uint64_t)) != DFOPT_OK) {
        dfopt_declog_reader_close(r);
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory", path);
    }
    enum dfopt_err e = open_file(r, err);
    if (!e)
        e = check_format(r, err);
    if (!e)
        e = read_run(r, err);
    if (!e && (r->commits = H5Dopen2(r->file, "commits", H5P_DEFAULT)) < 0)
        e = damaged(r, "damaged: cannot read /commits", err);
    if (!e)
        e = dfopt_declog_reader_refresh(r, err);
    if (e)
        dfopt_declog_reader_close(r);
    else
        *out = r;
    return e;
}

void dfopt_declog_reader_close(struct dfopt_declog_reader *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < DFOPT_STORE_COUNT; i++)
        for (size_t j = 0; j < DFOPT_COLUMNS_MAX; j++)
            if (r->series[i][j].dataset > 0)
                H5Dclose(r->series[i][j].dataset);
    if (r->commits >= 0)
        H5Dclose(r->commits);
    if (r->file >= 0)
        H5Fclose(r->file);
    H5Eclear2(H5E_DEFAULT);
    for (size_t i = 0; i < DFOPT_POOL_COUNT; i++)
        dfopt_buf_free(&r->window[i].buf);
    dfopt_buf_free(&r->packed);
    dfopt_buf_free(&r->texts);
    dfopt_dict_destroy(r->dict);
    free(r->path);
    free(r);
}

const struct dfopt_declog_run *
dfopt_declog_reader_run(const struct dfopt_declog_reader *r)
{
    return &r->run;
}

const struct dfopt_dict *
dfopt_declog_reader_dict(const struct dfopt_declog_reader *r)
{
    return r->dict;
}

uint64_t dfopt_declog_reader_rows(const struct dfopt_declog_reader *r,
                                  enum dfopt_declog_table table)
{
    return committed(r, table);
}
