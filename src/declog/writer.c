/* The file of a decision log, from creation to close.
 *
 * Invariants: everything that the file will ever hold is created before SWMR
 * starts. A row of /commits is written after everything that it counts has been
 * flushed, and is itself flushed before the next data is written. Every step
 * that may have written ends in dfopt_declog_check: HDF5 does not report
 * failures (driver.h). */
#include "declog/writer_impl.h"
#include "declog/h5.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMITS_CHUNK 64 /* rows; always written plain */

/* ---- failure ---- */

enum dfopt_err dfopt_declog_check(struct dfopt_declog *w, enum dfopt_err e,
                                  const char *what)
{
    if (w->failure.code || (e == DFOPT_OK && w->driver.failure == 0))
        return w->failure.code;
    if (w->driver.failure)
        return dfopt_error_set(&w->failure, DFOPT_ERR_IO, "%s: %s: %s", w->path,
                               what, strerror(w->driver.failure));
    if (e == DFOPT_ERR_IO)
        return dfopt_h5_error(&w->failure, e, w->path, what);
    return dfopt_error_set(&w->failure, e, "%s: %s: %s", w->path, what,
                           dfopt_err_text(e));
}

static enum dfopt_err failure(const struct dfopt_declog *w, struct dfopt_error *err)
{
    if (w->failure.code && err)
        *err = w->failure;
    return w->failure.code;
}

const struct dfopt_error *dfopt_declog_error(const struct dfopt_declog *w)
{
    static const struct dfopt_error none = {.code = DFOPT_OK};
    return w ? &w->failure : &none;
}

/* ---- creation ---- */

static hid_t create_file(struct dfopt_declog *w)
{
    hid_t file = -1;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t create = H5Pcreate(H5P_FILE_CREATE);
    /* whole chunks bypass HDF5's chunk caches, which need no space */
    if (access >= 0 && create >= 0 &&
        H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST) >= 0 &&
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 &&
        H5Pset_cache(access, 0, 1, 0, 1.0) >= 0 &&
        H5Pset_link_phase_change(create, 64, 0) >= 0 &&
        H5Pset_attr_phase_change(create, 64, 0) >= 0)
        file = dfopt_driver_create_file(&w->driver, w->made_at, create, access);
    dfopt_h5_close(create);
    dfopt_h5_close(access);
    return file;
}

static herr_t write_attributes(hid_t file, const struct dfopt_declog_options *o)
{
    unsigned version[3];
    char hdf5[32], created[32];
    H5get_libversion(&version[0], &version[1], &version[2]);
    snprintf(hdf5, sizeof hdf5, "%u.%u.%u", version[0], version[1], version[2]);
    dfopt_log_time(o->created_ns, created);
    const struct {
        const char *name, *text;
    } texts[] = {{"format", DFOPT_DECLOG_FORMAT},
                 {"hdf5_version", hdf5},
                 {"created", created},
                 {"detail", dfopt_declog_detail_name(o->detail)},
#define RUN_TEXT(member, text) {#member, o->member},
                 DFOPT_RUN_TEXT_LIST(RUN_TEXT)
#undef RUN_TEXT
    };
    herr_t status = 0;
    for (size_t i = 0; status >= 0 && i < sizeof texts / sizeof *texts; i++)
        status = dfopt_h5_write_text(file, texts[i].name, texts[i].text);
    if (status >= 0)
        status = dfopt_h5_write_int(file, "format_version",
                                    o->format_version ? o->format_version
                                                      : DFOPT_DECLOG_VERSION);
    if (status >= 0)
        status = dfopt_h5_write_int(file, "created_ns", o->created_ns);
    if (status >= 0)
        status = dfopt_h5_write_int(file, "ranks", o->ranks);
    return status;
}

static hid_t create_commits(hid_t file)
{
    hsize_t none = 0, unlimited = H5S_UNLIMITED, chunk = COMMITS_CHUNK;
    hid_t dataset = -1;
    hid_t type = dfopt_commit_hdf5_type();
    hid_t space = H5Screate_simple(1, &none, &unlimited);
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    if (type >= 0 && space >= 0 && plist >= 0 &&
        H5Pset_chunk(plist, 1, &chunk) >= 0)
        dataset = H5Dcreate2(file, "commits", type, space, H5P_DEFAULT, plist,
                             H5P_DEFAULT);
    if (dataset >= 0)
        dfopt_h5_write_text(
            dataset, "description",
            "a row a flush: only the rows that it counts may be trusted");
    dfopt_h5_close(plist);
    dfopt_h5_close(space);
    dfopt_h5_close(type);
    return dataset;
}

static herr_t mark_complete(hid_t dataset, uint8_t complete)
{
    return H5Dwrite(dataset, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                    &complete);
}

static hid_t create_complete(hid_t file)
{
    hsize_t one = 1;
    hid_t space = H5Screate_simple(1, &one, NULL);
    hid_t dataset = H5Dcreate2(file, "complete", H5T_STD_U8LE, space, H5P_DEFAULT,
                               H5P_DEFAULT, H5P_DEFAULT);
    if (dataset >= 0)
        dfopt_h5_write_text(dataset, "description",
                            "1: the log was closed in order");
    if (dataset >= 0 && mark_complete(dataset, 0) < 0) {
        dfopt_h5_close(dataset);
        dataset = -1;
    }
    dfopt_h5_close(space);
    return dataset;
}

/* Creates everything in the new file. */
static enum dfopt_err fill_file(struct dfopt_declog *w,
                                const struct dfopt_declog_options *o)
{
    if (write_attributes(w->file, o) < 0)
        return DFOPT_ERR_IO;
    for (size_t i = 0; i < DFOPT_STORE_COUNT; i++) {
        enum dfopt_err e = dfopt_store_create(&w->store[i], dfopt_layout_of(i),
                                              w->file, o->compression);
        if (e)
            return e;
    }
    w->commits = create_commits(w->file);
    w->complete = create_complete(w->file);
    return w->commits < 0 || w->complete < 0 ? DFOPT_ERR_IO : DFOPT_OK;
}

static void release(struct dfopt_declog *w)
{
    for (size_t i = 0; i < DFOPT_STORE_COUNT; i++)
        if (w->store[i].layout)
            dfopt_store_close(&w->store[i]);
    if (w->commits >= 0)
        H5Dclose(w->commits);
    if (w->complete >= 0)
        H5Dclose(w->complete);
    bool closed = w->file < 0 || H5Fclose(w->file) >= 0;
    dfopt_declog_check(w, closed ? DFOPT_OK : DFOPT_ERR_IO, "cannot close");
    dfopt_driver_close(&w->driver);
    H5Eclear2(H5E_DEFAULT);
    dfopt_packer_free(&w->packer);
    dfopt_buf_free(&w->commit_rows);
    dfopt_buf_free(&w->text);
    if (w->made_at)
        unlink(w->made_at);
    free(w->made_at);
    free(w->path);
}

static enum dfopt_err check_options(const struct dfopt_declog_options *o,
                                    struct dfopt_error *err)
{
    if (!o->path || !*o->path)
        return dfopt_error_set(err, DFOPT_ERR_ARG,
                               "decision log: the path is empty");
    if (o->compression < 0 || o->compression > 9)
        return dfopt_error_set(err, DFOPT_ERR_ARG,
                               "%s: compression must be 0 to 9, not %d", o->path,
                               o->compression);
    if ((unsigned)o->detail >= DFOPT_DETAIL_COUNT)
        return dfopt_error_set(err, DFOPT_ERR_ARG, "%s: no such detail: %d",
                               o->path, (int)o->detail);
    return DFOPT_OK;
}

/* The path at which the file is made. */
static enum dfopt_err name_new_file(struct dfopt_declog *w)
{
    w->made_at = w->path ? dfopt_place_beside(w->path) : NULL;
    return w->made_at ? DFOPT_OK : DFOPT_ERR_NOMEM;
}

void dfopt_declog_drop(struct dfopt_declog *w)
{
    release(w);
    free(w);
}

enum dfopt_err dfopt_declog_make(struct dfopt_declog **out,
                                 const struct dfopt_dict *dict,
                                 const struct dfopt_declog_options *options,
                                 const struct dfopt_place *replaces,
                                 struct dfopt_error *err)
{
    struct dfopt_declog *w = calloc(1, sizeof *w);
    if (!w)
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory",
                               options->path);
    w->file = w->commits = w->complete = -1;
    w->dict = dict;
    w->detail = options->detail;
    w->min_effect = options->min_effect;
    w->at.origin = DFOPT_SYM_NONE;
    w->replaces = *replaces;
    w->path = strdup(options->path);
    enum dfopt_err e = name_new_file(w);
    if (!e)
        e = dfopt_packer_init(&w->packer, options->compression);
    if (!e) {
        w->file = create_file(w);
        e = w->file < 0 ? DFOPT_ERR_IO : fill_file(w, options);
    }
    if (w->path)
        e = dfopt_declog_check(w, e, "cannot create");
    else
        dfopt_error_set(&w->failure, e, "%s: out of memory", options->path);
    if (!e) {
        *out = w;
        return DFOPT_OK;
    }
    failure(w, err);
    dfopt_declog_drop(w);
    return e;
}

enum dfopt_err dfopt_declog_create(struct dfopt_declog **out,
                                   const struct dfopt_dict *dict,
                                   const struct dfopt_declog_options *options,
                                   struct dfopt_error *err)
{
    struct dfopt_declog *w = NULL;
    struct dfopt_place replaces;
    enum dfopt_err e = check_options(options, err);
    if (e)
        return e;
    dfopt_h5_quiet();
    e = dfopt_place_check(options->path, &replaces, err);
    if (!e)
        e = dfopt_declog_make(&w, dict, options, &replaces, err);
    if (e)
        return e;
    e = dfopt_declog_begin_run(w, options);
    if (!e)
        e = dfopt_declog_go_live(w, false);
    if (!dfopt_declog_check(w, e, "cannot create")) {
        *out = w;
        return DFOPT_OK;
    }
    e = failure(w, err);
    dfopt_declog_drop(w);
    return e;
}

/* ---- commits ---- */

static struct dfopt_declog_commit_row count(const struct dfopt_declog *w)
{
    struct dfopt_declog_commit_row row = {.at = w->at};
    for (size_t i = 0; i < DFOPT_TABLE_COUNT; i++)
        row.rows[i] = dfopt_store_rows(&w->store[i]);
    for (size_t i = 0; i < DFOPT_POOL_COUNT; i++)
        row.pool[i] = dfopt_store_rows(&w->store[DFOPT_STORE_OF_POOL(i)]);
    return row;
}

/* Whether two rows are equal except for the time. */
static bool same_state(const struct dfopt_declog_commit_row *a,
                       const struct dfopt_declog_commit_row *b)
{
    return a->at.next_seq == b->at.next_seq && a->at.offset == b->at.offset &&
           a->at.record_line == b->at.record_line && a->at.origin == b->at.origin &&
           memcmp(a->rows, b->rows, sizeof a->rows) == 0 &&
           memcmp(a->pool, b->pool, sizeof a->pool) == 0;
}

/* Writes the chunk of /commits that holds row number n_commits - 1. */
static herr_t write_commits(struct dfopt_declog *w)
{
    const hsize_t extent = w->n_commits;
    const hsize_t start = (extent - 1) - (extent - 1) % COMMITS_CHUNK;
    return H5Dset_extent(w->commits, &extent) < 0
               ? -1
               : H5Dwrite_chunk(w->commits, H5P_DEFAULT, 0, &start,
                                w->commit_rows.len, w->commit_rows.data);
}

enum dfopt_err dfopt_declog_put_commits(struct dfopt_declog *w,
                                        const struct dfopt_declog_commit_row *rows,
                                        size_t n)
{
    /* the buffer is always a whole chunk; future rows are zeros */
    if (!w->commit_rows.len &&
        !dfopt_buf_grow(&w->commit_rows, COMMITS_CHUNK * sizeof *rows))
        return DFOPT_ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const size_t at = (size_t)(w->n_commits++ % COMMITS_CHUNK);
        if (at == 0)
            memset(w->commit_rows.data, 0, w->commit_rows.len);
        DFOPT_ROW(&w->commit_rows, struct dfopt_declog_commit_row)[at] = rows[i];
        if ((i + 1 == n || at + 1 == COMMITS_CHUNK) && write_commits(w) < 0)
            return DFOPT_ERR_IO;
    }
    if (n > 0)
        w->saved = rows[n - 1];
    return DFOPT_OK;
}

enum dfopt_err dfopt_declog_flush(struct dfopt_declog *w)
{
    enum dfopt_err e = dfopt_declog_add_names(w);
    if (e)
        return e;
    struct dfopt_declog_commit_row row = count(w);
    if (w->n_commits > 0 && same_state(&row, &w->saved))
        return DFOPT_OK;
    for (size_t i = 0; !e && i < DFOPT_STORE_COUNT; i++)
        e = dfopt_store_write(&w->store[i], &w->packer);
    if (!e && H5Fflush(w->file, H5F_SCOPE_LOCAL) < 0)
        e = DFOPT_ERR_IO;
    e = dfopt_declog_check(w, e, "cannot write");
    if (!e)
        e = dfopt_declog_put_commits(w, &row, 1);
    if (!e && H5Fflush(w->file, H5F_SCOPE_LOCAL) < 0)
        e = DFOPT_ERR_IO;
    return dfopt_declog_check(w, e, "cannot write");
}

/* Moves the file to its path, unless another run has taken that meanwhile. */
static enum dfopt_err put_in_place(struct dfopt_declog *w, bool sync)
{
    int fd = sync ? open(w->made_at, O_RDONLY | O_CLOEXEC) : -1;
    int why = sync && (fd < 0 || fsync(fd) < 0) ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (!why)
        why = dfopt_place_put(w->made_at, w->path, &w->replaces);
    if (why == EEXIST)
        return dfopt_error_set(&w->failure, DFOPT_ERR_STATE,
                               "%s: another run has created its log there "
                               "meanwhile; not replaced. Give each run its own log",
                               w->path);
    w->driver.failure = why;
    if (why)
        return DFOPT_ERR_IO;
    free(w->made_at);
    w->made_at = NULL;
    return DFOPT_OK;
}

enum dfopt_err dfopt_declog_go_live(struct dfopt_declog *w, bool sync)
{
    if (H5Fflush(w->file, H5F_SCOPE_LOCAL) < 0 ||
        w->driver.failure || /* starting SWMR reads everything back */
        H5Fstart_swmr_write(w->file) < 0)
        return DFOPT_ERR_IO;
    enum dfopt_err e = dfopt_declog_flush(w);
    return e ? e : put_in_place(w, sync);
}

enum dfopt_err dfopt_declog_commit(struct dfopt_declog *w,
                                   const struct dfopt_declog_position *at,
                                   bool flush_now, struct dfopt_error *err)
{
    if (!w->failure.code) {
        w->at = *at;
        if (flush_now)
            dfopt_declog_flush(w);
    }
    return failure(w, err);
}

uint64_t dfopt_declog_rows(const struct dfopt_declog *w,
                           enum dfopt_declog_table table)
{
    return dfopt_store_rows(&w->store[table]);
}

int dfopt_declog_compression(const struct dfopt_declog *w)
{
    return w->packer.level;
}

enum dfopt_declog_detail dfopt_declog_detail(const struct dfopt_declog *w)
{
    return w->detail;
}

uint64_t dfopt_declog_bytes(const struct dfopt_declog *w)
{
    hsize_t bytes = 0;
    return H5Fget_filesize(w->file, &bytes) < 0 ? 0 : bytes;
}

/* A log that was moved, removed or replaced is intact but no longer at its
 * path. */
static void check_in_place(struct dfopt_declog *w)
{
    struct dfopt_place now;
    if (dfopt_place_of(w->path, &now) || !dfopt_place_same(&now, &w->driver.file))
        dfopt_error_set(&w->failure, DFOPT_ERR_IO,
                        "%s: moved, removed or replaced while it was being "
                        "written; the log is lost",
                        w->path);
}

enum dfopt_err dfopt_declog_close(struct dfopt_declog **w, bool complete,
                                  struct dfopt_error *err)
{
    struct dfopt_declog *log = *w;
    if (!log)
        return DFOPT_OK;
    *w = NULL;
    if (!log->failure.code)
        dfopt_declog_flush(log);
    if (!log->failure.code)
        check_in_place(log);
    if (!log->failure.code && complete &&
        (mark_complete(log->complete, 1) < 0 ||
         H5Fflush(log->file, H5F_SCOPE_LOCAL) < 0))
        dfopt_declog_check(log, DFOPT_ERR_IO, "cannot complete");
    release(log);
    enum dfopt_err e = failure(log, err);
    free(log);
    return e;
}
