/* Opens a decision log and follows its commits. Invariant: the dictionary holds
 * the strings and lists that the last commit counts. */
#include "declog/h5.h"
#include "declog/reader_impl.h"
#include "declog/sweep_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static enum dfopt_err damaged(const struct dfopt_declog_reader *r, const char *what,
                              struct dfopt_error *err)
{
    return dfopt_h5_error(err, DFOPT_ERR_FORMAT, r->path, what);
}

/* ---- names ---- */

/* Defines string or list number i, whose items are at `text`. */
static enum dfopt_err define(struct dfopt_declog_reader *r,
                             enum dfopt_declog_table t, uint32_t i,
                             struct dfopt_declog_text text, struct dfopt_error *err)
{
    bool list = t == DFOPT_TABLE_LISTS;
    size_t n = (size_t)(text.end - text.start);
    const void *at;
    enum dfopt_err e = dfopt_reader_look_at(
        r, list ? DFOPT_POOL_LISTS : DFOPT_POOL_STRINGS, text, &at, err);
    if (e)
        return e;
    if (list) {
        if (!dfopt_reader_strings_exist(r, at, n))
            return dfopt_reader_bad_element(r, dfopt_layout_of(t),
                                            dfopt_layout_of(t)->columns, i, err);
        e = dfopt_dict_define_list(r->dict, i, n ? at : NULL, n);
    } else {
        e = dfopt_dict_define(r->dict, i, at, n);
    }
    if (e == DFOPT_ERR_NOMEM)
        return dfopt_reader_no_memory(r, err);
    return e ? dfopt_reader_bad_element(r, dfopt_layout_of(t),
                                        dfopt_layout_of(t)->columns, i, err)
             : DFOPT_OK;
}

/* Loads the strings or lists from number `from` on. */
static enum dfopt_err load_names(struct dfopt_declog_reader *r,
                                 enum dfopt_declog_table t, uint64_t from,
                                 struct dfopt_error *err)
{
    uint64_t n = dfopt_declog_reader_rows(r, t);
    if (n > INT32_MAX) /* higher numbers are local ones */
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

/* Whether b may follow a: no count decreases. */
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
    bool ok = dataset >= 0 && dfopt_reader_extent(dataset, &n) && n == 1 &&
              dfopt_reader_elements(dataset, H5T_NATIVE_UINT8, 0, 1, &mark);
    dfopt_h5_close(dataset);
    *complete = mark == 1;
    return ok;
}

static enum dfopt_err read_commit(struct dfopt_declog_reader *r, uint64_t number,
                                  struct dfopt_declog_commit_row *row,
                                  struct dfopt_error *err)
{
    hid_t type = dfopt_commit_hdf5_type();
    bool ok = type >= 0 && dfopt_reader_elements(r->commits, type, number, 1, row);
    dfopt_h5_close(type);
    return ok ? DFOPT_OK : damaged(r, "damaged: cannot read /commits", err);
}

/* Reads `complete` first: then the last commit before the mark is visible, too. */
static enum dfopt_err load_commit(struct dfopt_declog_reader *r,
                                  struct dfopt_error *err)
{
    struct dfopt_declog_run next = r->run;
    struct dfopt_declog_commit_row row = {.rows = {0}};
    enum dfopt_err e = DFOPT_OK;
    if (!read_complete(r, &next.complete))
        return damaged(r, "damaged: cannot read /complete", err);
    if ((r->live && H5Drefresh(r->commits) < 0) ||
        !dfopt_reader_extent(r->commits, &next.commits))
        return damaged(r, "damaged: cannot read /commits", err);
    if (next.commits > 0)
        e = read_commit(r, next.commits - 1, &row, err);
    if (e)
        return e;
    if (!follows(&r->run.last, &row))
        return damaged(
            r, "damaged: the last commit has fewer rows than the one before", err);
    if (row.at.origin >= row.rows[DFOPT_TABLE_STRINGS])
        row.at.origin = DFOPT_SYM_NONE;
    next.last = row;
    r->run = next;
    return DFOPT_OK;
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
#define RUN_TEXT(member, text) {#member, &run->member},
                 DFOPT_RUN_TEXT_LIST(RUN_TEXT)
#undef RUN_TEXT
    };
    size_t n = sizeof texts / sizeof *texts, at[sizeof texts / sizeof *texts];
    for (size_t i = 0; i < n; i++) {
        at[i] = r->texts.len;
        if (dfopt_h5_read_text(r->file, texts[i].name, &r->texts) >= 0)
            continue;
        if (run->format_version >=
            DFOPT_DECLOG_VERSION) /* older: not all of them */
            return damaged(r, "damaged: an attribute of the run is missing", err);
        if (dfopt_buf_add(&r->texts, "", 1))
            return dfopt_reader_no_memory(r, err);
    }
    for (size_t i = 0; i < n; i++) /* the buffer no longer moves */
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
    const bool said = dfopt_h5_read_text(r->file, "format", &format) >= 0;
    const bool sweep = said && strcmp(format.data, DFOPT_SWEEP_FORMAT) == 0;
    const bool ours =
        said && strcmp(format.data, DFOPT_DECLOG_FORMAT) == 0 &&
        dfopt_h5_read_int(r->file, "format_version", &r->run.format_version) >= 0;
    dfopt_buf_free(&format);
    H5Eclear2(H5E_DEFAULT);
    if (sweep)
        return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                               "%s: holds a sweep; read it with dfopt-log sweep",
                               r->path);
    if (!ours && (r->run.cut || r->live))
        return dfopt_error_set(
            err, DFOPT_ERR_FORMAT,
            "%s: an HDF5 file, but not a decision log, or too little of it is left",
            r->path);
    if (!ours)
        return dfopt_error_set(err, DFOPT_ERR_FORMAT,
                               "%s: an HDF5 file, but not a decision log", r->path);
    if (r->run.format_version < 1 || r->run.format_version > DFOPT_DECLOG_VERSION)
        return dfopt_error_set(
            err, DFOPT_ERR_FORMAT,
            "%s: format version %" PRId64
            "; this program reads up to %d: use a newer dfopt-log",
            r->path, r->run.format_version, DFOPT_DECLOG_VERSION);
    return DFOPT_OK;
}

static enum dfopt_err open_file(struct dfopt_declog_reader *r,
                                struct dfopt_error *err)
{
    struct dfopt_h5_access how;
    enum dfopt_err e = dfopt_h5_look(r->path, err);
    if (e)
        return e;
    r->file = dfopt_h5_open(r->path, &how);
    if (r->file >= 0) {
        r->live = how.live;
        r->run.live = how.live;
        r->run.cut = how.cut;
        H5Eclear2(H5E_DEFAULT); /* from the modes that failed */
        return DFOPT_OK;
    }
    e = damaged(r, "the HDF5 file cannot be opened", err);
    if (H5Fis_hdf5(r->path) > 0)
        return e;
    H5Eclear2(H5E_DEFAULT);
    return dfopt_error_set(err, DFOPT_ERR_FORMAT, "%s: not an HDF5 file", r->path);
}

/* Whether a row of /commits lies within the file. */
static bool commit_in_file(struct dfopt_declog_reader *r, uint64_t number)
{
    hsize_t rows = 0;
    hid_t plist = H5Dget_create_plist(r->commits), type = H5Dget_type(r->commits);
    bool ok = plist >= 0 && type >= 0 && H5Pget_layout(plist) == H5D_CHUNKED &&
              H5Pget_chunk(plist, 1, &rows) == 1 && rows > 0 &&
              dfopt_reader_in_file(r, r->commits, number - number % rows,
                                   (number % rows + 1) * H5Tget_size(type));
    dfopt_h5_close(type);
    dfopt_h5_close(plist);
    H5Eclear2(H5E_DEFAULT);
    return ok;
}

/* Whether the file has everything that its last commit counts. The file of a
 * killed writer may be truncated without HDF5 noticing. */
static bool all_in_file(struct dfopt_declog_reader *r)
{
    bool ok = r->run.commits == 0 || commit_in_file(r, r->run.commits - 1);
    for (size_t i = 0; ok && i < DFOPT_STORE_COUNT; i++)
        ok = dfopt_reader_end_in_file(r, i);
    return ok;
}

/* Truncated file: returns to the last commit whose data is all present. */
static enum dfopt_err go_back(struct dfopt_declog_reader *r,
                              struct dfopt_error *err)
{
    struct dfopt_declog_commit_row whole = {.rows = {0}}, row;
    uint64_t n = 0;
    if (!dfopt_reader_extent(r->commits, &n))
        return damaged(r, "damaged: cannot read /commits", err);
    for (size_t i = 0; i < DFOPT_TABLE_COUNT; i++)
        whole.rows[i] = dfopt_reader_whole_rows(r, i);
    for (size_t i = 0; i < DFOPT_POOL_COUNT; i++)
        whole.pool[i] = dfopt_reader_whole_rows(r, DFOPT_STORE_OF_POOL(i));
    for (uint64_t i = n; i > 0; i--)
        if (commit_in_file(r, i - 1) &&
            read_commit(r, i - 1, &row, NULL) == DFOPT_OK &&
            follows(&row, &whole)) {
            r->run.last = row;
            r->run.commits = i;
            r->run.lost_commits = n - i;
            return DFOPT_OK;
        }
    H5Eclear2(H5E_DEFAULT);
    r->run.lost_commits = n;
    return DFOPT_OK; /* nothing is left, but the run's attributes */
}

/* Loads the names that the last commit counts. */
static enum dfopt_err load_all_names(struct dfopt_declog_reader *r,
                                     uint64_t strings, uint64_t lists,
                                     struct dfopt_error *err)
{
    enum dfopt_err e = load_names(r, DFOPT_TABLE_STRINGS, strings, err);
    return e ? e : load_names(r, DFOPT_TABLE_LISTS, lists, err);
}

enum dfopt_err dfopt_declog_reader_refresh(struct dfopt_declog_reader *r,
                                           struct dfopt_error *err)
{
    uint64_t strings = r->run.last.rows[DFOPT_TABLE_STRINGS];
    uint64_t lists = r->run.last.rows[DFOPT_TABLE_LISTS];
    struct dfopt_declog_run before = r->run;
    if (r->run.cut)
        return DFOPT_OK; /* it has no writer */
    enum dfopt_err e = load_commit(r, err);
    if (e)
        return e;
    r->generation++;
    e = load_all_names(r, strings, lists, err);
    if (e)
        r->run = before;
    return e;
}

bool dfopt_declog_reader_is_replaced(const struct dfopt_declog_reader *r)
{
    struct dfopt_place now;
    return !dfopt_place_of(r->path, &now) && now.there &&
           !dfopt_place_same(&now, &r->place);
}

static enum dfopt_err load_last_whole_commit(struct dfopt_declog_reader *r,
                                             struct dfopt_error *err)
{
    if (!r->run.cut) {
        enum dfopt_err e = dfopt_declog_reader_refresh(r, err);
        if (!r->live || e == DFOPT_ERR_NOMEM || (!e && all_in_file(r)))
            return e;
    }
    r->run.cut = true;
    r->run.complete = false;
    memset(&r->run.last, 0, sizeof r->run.last);
    r->run.commits = 0;
    enum dfopt_err e = go_back(r, err);
    return e ? e : load_all_names(r, 0, 0, err);
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
        dfopt_unpacker_create(&r->unpacker) != DFOPT_OK ||
        dfopt_buf_reserve(&r->packed, DFOPT_READER_BLOCK * sizeof(uint64_t)) !=
            DFOPT_OK) {
        dfopt_declog_reader_close(r);
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory", path);
    }
    (void)dfopt_place_of(path, &r->place); /* before opening it */
    enum dfopt_err e = open_file(r, err);
    if (!e)
        e = check_format(r, err);
    if (!e)
        e = read_run(r, err);
    if (!e && (r->commits = H5Dopen2(r->file, "commits", H5P_DEFAULT)) < 0)
        e = damaged(r, "damaged: cannot read /commits", err);
    if (!e)
        e = load_last_whole_commit(r, err);
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
        for (size_t j = 0; j < DFOPT_COLUMNS_MAX; j++) {
            if (r->series[i][j].dataset > 0)
                H5Dclose(r->series[i][j].dataset);
            dfopt_buf_free(&r->series[i][j].unpacked);
        }
    if (r->commits >= 0)
        H5Dclose(r->commits);
    if (r->file >= 0)
        H5Fclose(r->file);
    H5Eclear2(H5E_DEFAULT);
    for (size_t i = 0; i < DFOPT_POOL_COUNT; i++)
        dfopt_buf_free(&r->window[i].buf);
    dfopt_unpacker_destroy(r->unpacker);
    dfopt_buf_free(&r->chunk);
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
