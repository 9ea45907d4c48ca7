/* Writes the file of a sweep. HDF5 cannot recover from a full disk, so it
 * writes through the decision log's driver, which is checked at the end. */
#include "declog/sweep_file.h"

#include "declog/driver.h"
#include "declog/h5.h"
#include "declog/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_ROWS 16384 /* of decisions */

struct dfopt_sweep_writer {
    const char *path;
    char *beside; /* owned: the file's path until it is complete */
    struct dfopt_driver driver;
    hid_t file;
    struct dfopt_buf packed;
};

/* ---- whole datasets ---- */

static herr_t write_array(hid_t group, const char *name, hid_t type, hid_t memory,
                          int rank, const hsize_t *dims, const void *data,
                          const char *description)
{
    herr_t status = -1;
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t set = space < 0 ? -1
                          : H5Dcreate2(group, name, type, space, H5P_DEFAULT,
                                       H5P_DEFAULT, H5P_DEFAULT);
    if (set >= 0) {
        hsize_t n = 1;
        for (int i = 0; i < rank; i++)
            n *= dims[i];
        status = n ? H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) : 0;
        if (status >= 0 && description)
            status = dfopt_h5_write_text(set, "description", description);
    }
    dfopt_h5_close(set);
    dfopt_h5_close(space);
    return status;
}

static herr_t write_texts(hid_t group, const char *name, int rank,
                          const hsize_t *dims, const char *const *texts,
                          const char *description)
{
    hid_t type = dfopt_h5_text_type();
    herr_t status = type < 0 ? -1
                             : write_array(group, name, type, type, rank, dims,
                                           texts, description);
    dfopt_h5_close(type);
    return status;
}

static hid_t make_group(hid_t parent, const char *name)
{
    return H5Gcreate2(parent, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
}

/* ---- the parts ---- */

static herr_t write_attributes(hid_t file, const struct dfopt_sweep_report *r)
{
    herr_t status = dfopt_h5_write_text(file, "format", DFOPT_SWEEP_FORMAT);
    if (status >= 0)
        status = dfopt_h5_write_int(file, "format_version", DFOPT_SWEEP_VERSION);
#define TEXT(name)                                                                 \
    if (status >= 0)                                                               \
        status = dfopt_h5_write_text(file, #name, r->name);
    DFOPT_SWEEP_TEXT_LIST(TEXT)
#undef TEXT
#define FACT(name)                                                                 \
    if (status >= 0)                                                               \
        status = dfopt_h5_write_int(file, #name, r->name);
    DFOPT_SWEEP_FACT_LIST(FACT)
#undef FACT
    if (status >= 0)
        status = dfopt_h5_write_real(file, "severity", r->severity);
    return status;
}

static herr_t write_variants(hid_t file, const struct dfopt_sweep_report *r)
{
    const struct dfopt_sweep_variants *v = r->variants;
    const hsize_t by_variant = v->n, by_parameter = v->n_parameters,
                  both[] = {v->n, v->n_parameters};
    const size_t cells = v->n * v->n_parameters;
    const char **texts = calloc(cells + 1, sizeof(char *));
    double *numbers = calloc(cells + 1, sizeof *numbers);
    herr_t status = texts && numbers ? 0 : -1;
    for (size_t i = 0; status >= 0 && i < cells; i++) {
        texts[i] = v->texts.data + v->settings[i].text;
        numbers[i] = v->settings[i].number;
    }
    if (status >= 0)
        status = write_texts(file, "policies", 1, &by_variant, r->policies,
                             "the policy of each variant, as a policy file");
    hid_t group = make_group(file, "parameters");
    if (status >= 0)
        status = write_texts(group, "path", 1, &by_parameter,
                             (const char *const *)v->paths, "what is varied");
    if (status >= 0)
        status = write_texts(group, "setting", 2, both, texts,
                             "by variant and parameter: JSON; empty: not set");
    if (status >= 0)
        status = write_array(group, "number", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, 2,
                             both, numbers, "the same as numbers, where they are");
    dfopt_h5_close(group);
    free((void *)texts);
    free(numbers);
    return status;
}

static herr_t write_metrics(hid_t file, const struct dfopt_sweep_report *r)
{
    struct dfopt_sweep_metric_info table[DFOPT_SWEEP_METRICS_MAX];
    const size_t n = dfopt_sweep_metric_table(table), variants = r->variants->n;
    const hsize_t dims = variants;
    uint64_t *cells = calloc(variants + 1, sizeof *cells);
    hid_t group = make_group(file, "metrics");
    herr_t status = cells && group >= 0 ? 0 : -1;
    for (size_t m = 0; status >= 0 && m < n; m++) {
        const bool real = table[m].kind == DFOPT_SWEEP_REAL;
        for (size_t v = 0; v < variants; v++)
            memcpy(&cells[v], (const char *)r->results[v].metrics + table[m].offset,
                   sizeof *cells);
        status =
            write_array(group, table[m].name, real ? H5T_IEEE_F64LE : H5T_STD_U64LE,
                        real ? H5T_NATIVE_DOUBLE : H5T_NATIVE_UINT64, 1, &dims,
                        cells, table[m].meaning);
    }
    dfopt_h5_close(group);
    free(cells);
    return status;
}

static const struct {
    const char *name;
    size_t offset;
    bool real;
    const char *text;
} knob_columns[] = {
#define COLUMN(member, is_real, text)                                              \
    {                                                                              \
#member, offsetof(struct dfopt_sweep_knob, member), is_real, text          \
    }
    COLUMN(raised, false, "plans that raise it"),
    COLUMN(lowered, false, "plans that lower it"),
    COLUMN(set, false, "plans about values that have no order"),
    COLUMN(reversals, false, "plans that lower what the last raised"),
    COLUMN(job, true, "the job's value at the end; NaN: not a number"),
    COLUMN(min, true, "least value in force on a node at the end"),
    COLUMN(mean, true, "mean over the nodes at the end"),
    COLUMN(max, true, "largest value in force on a node at the end"),
    COLUMN(overrides, false, "nodes with a value of their own at the end"),
#undef COLUMN
};

static herr_t write_knob_columns(hid_t group, const struct dfopt_sweep_report *r)
{
    const hsize_t dims[] = {r->variants->n, r->n_knobs};
    uint64_t *cells = calloc(dims[0] * dims[1] + 1, sizeof *cells);
    herr_t status = cells ? 0 : -1;
    for (size_t c = 0;
         status >= 0 && c < sizeof knob_columns / sizeof *knob_columns; c++) {
        const bool real = knob_columns[c].real;
        for (size_t v = 0; v < dims[0]; v++)
            for (size_t k = 0; k < dims[1]; k++)
                memcpy(&cells[v * dims[1] + k],
                       (const char *)&r->results[v].knobs[k] +
                           knob_columns[c].offset,
                       sizeof *cells);
        status = write_array(group, knob_columns[c].name,
                             real ? H5T_IEEE_F64LE : H5T_STD_U64LE,
                             real ? H5T_NATIVE_DOUBLE : H5T_NATIVE_UINT64, 2, dims,
                             cells, knob_columns[c].text);
    }
    free(cells);
    return status;
}

static herr_t write_knobs(hid_t file, const struct dfopt_sweep_report *r)
{
    const hsize_t dims[] = {r->variants->n, r->n_knobs};
    const char **texts = calloc(dims[0] * dims[1] + 1, sizeof(char *));
    hid_t group = make_group(file, "knobs");
    herr_t status = texts && group >= 0 ? 0 : -1;
    for (size_t v = 0; status >= 0 && v < dims[0]; v++) {
        const char *text = r->results[v].texts;
        for (size_t k = 0; k < dims[1]; k++, text += strlen(text) + 1)
            texts[v * dims[1] + k] = text;
    }
    if (status >= 0)
        status = write_texts(group, "knob", 1, &dims[1], r->knobs,
                             "ids, in the order of first registration");
    if (status >= 0)
        status =
            write_texts(group, "job_value", 2, dims, texts,
                        "by variant and knob: the job's value at the end, JSON");
    if (status >= 0)
        status = write_knob_columns(group, r);
    dfopt_h5_close(group);
    free((void *)texts);
    return status;
}

/* ---- the file ---- */

static enum dfopt_err fail(const struct dfopt_sweep_writer *w,
                           struct dfopt_error *err)
{
    if (w->driver.failure)
        return dfopt_error_set(err, DFOPT_ERR_IO, "%s: cannot write: %s", w->path,
                               strerror(w->driver.failure));
    return dfopt_h5_error(err, DFOPT_ERR_IO, w->path, "cannot write");
}

static bool is_sweep(const char *path)
{
    struct dfopt_buf text = {0};
    hid_t file = dfopt_h5_open(path, NULL);
    const bool ours = file >= 0 && dfopt_h5_read_text(file, "format", &text) >= 0 &&
                      strcmp(text.data, DFOPT_SWEEP_FORMAT) == 0;
    dfopt_h5_close(file);
    H5Eclear2(H5E_DEFAULT);
    dfopt_buf_free(&text);
    return ours;
}

enum dfopt_err dfopt_sweep_file_check(const char *path, struct dfopt_error *err)
{
    struct stat st;
    dfopt_h5_quiet();
    if (stat(path, &st) < 0)
        return errno == ENOENT ? DFOPT_OK
                               : dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", path,
                                                 strerror(errno));
    if (!S_ISREG(st.st_mode) || (st.st_size > 0 && !is_sweep(path)))
        return dfopt_error_set(
            err, DFOPT_ERR_FORMAT,
            "%s: exists, but does not hold a sweep; not replaced", path);
    return DFOPT_OK;
}

static herr_t create_file(struct dfopt_sweep_writer *w)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    unlink(w->beside); /* left by a killed run */
    if (access >= 0 && H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 &&
        /* metadata with checksums; older formats have none */
        H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST) >= 0)
        w->file =
            dfopt_driver_create_file(&w->driver, w->beside, H5P_DEFAULT, access);
    dfopt_h5_close(access);
    return w->file < 0 ? -1 : 0;
}

enum dfopt_err dfopt_sweep_writer_create(struct dfopt_sweep_writer **out,
                                         const char *path,
                                         const struct dfopt_sweep_report *report,
                                         struct dfopt_error *err)
{
    struct dfopt_sweep_writer *w = calloc(1, sizeof *w);
    if (!w || asprintf(&w->beside, "%s.new", path) < 0) {
        free(w);
        return dfopt_error_set(err, DFOPT_ERR_NOMEM, "out of memory");
    }
    w->path = path;
    w->file = -1;
    dfopt_h5_quiet();
    herr_t status = create_file(w);
    if (status >= 0)
        status = write_attributes(w->file, report);
    if (status >= 0)
        status = write_variants(w->file, report);
    if (status >= 0)
        status = write_metrics(w->file, report);
    if (status >= 0)
        status = write_knobs(w->file, report);
    if (status < 0) {
        const enum dfopt_err e = fail(w, err);
        dfopt_sweep_writer_close(&w, false, NULL, NULL);
        return e;
    }
    *out = w;
    return DFOPT_OK;
}

/* ---- decisions ---- */

static hid_t make_column(hid_t group, const struct dfopt_column *c)
{
    const hsize_t none = 0, unlimited = H5S_UNLIMITED, chunk = CHUNK_ROWS;
    hid_t set = -1;
    hid_t type = dfopt_column_hdf5_type(c);
    hid_t space = H5Screate_simple(1, &none, &unlimited);
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    if (type >= 0 && space >= 0 && plist >= 0 &&
        H5Pset_chunk(plist, 1, &chunk) >= 0 && H5Pset_shuffle(plist) >= 0 &&
        H5Pset_deflate(plist, 1) >= 0)
        set = H5Dcreate2(group, c->name, type, space, H5P_DEFAULT, plist,
                         H5P_DEFAULT);
    dfopt_h5_close(plist);
    dfopt_h5_close(space);
    dfopt_h5_close(type);
    return set;
}

static herr_t append(hid_t set, const void *data, hsize_t n)
{
    hsize_t start = 0, extent;
    herr_t status = -1;
    hid_t type = H5Dget_type(set), all = H5Dget_space(set);
    hid_t memory = H5Screate_simple(1, &n, NULL), file = -1;
    if (all >= 0)
        H5Sget_simple_extent_dims(all, &start, NULL);
    extent = start + n;
    if (type >= 0 && memory >= 0 && H5Dset_extent(set, &extent) >= 0)
        file = H5Dget_space(set);
    if (file >= 0 &&
        H5Sselect_hyperslab(file, H5S_SELECT_SET, &start, NULL, &n, NULL) >= 0)
        status = H5Dwrite(set, type, memory, file, H5P_DEFAULT, data);
    dfopt_h5_close(file);
    dfopt_h5_close(memory);
    dfopt_h5_close(all);
    dfopt_h5_close(type);
    return status;
}

static herr_t append_rows(struct dfopt_sweep_writer *w, hid_t parent,
                          enum dfopt_declog_table table, size_t row_size,
                          const struct dfopt_buf *rows)
{
    const struct dfopt_layout *l = dfopt_layout_of(table);
    const size_t n = rows->len / row_size;
    const bool is_new = H5Lexists(parent, l->group, H5P_DEFAULT) <= 0;
    hid_t group = is_new ? make_group(parent, l->group)
                         : H5Gopen2(parent, l->group, H5P_DEFAULT);
    herr_t status = group < 0 ? -1 : 0;
    for (size_t i = 0; status >= 0 && i < l->n_columns; i++) {
        const struct dfopt_column *c = &l->columns[i];
        if (c->type == DFOPT_COLUMN_TEXT || c->type == DFOPT_COLUMN_LIST)
            continue; /* rationales can be recomposed; own plans have no list */
        dfopt_buf_clear(&w->packed);
        hid_t set =
            is_new ? make_column(group, c) : H5Dopen2(group, c->name, H5P_DEFAULT);
        status = set < 0 || !dfopt_buf_grow(&w->packed, n * dfopt_column_size(c))
                     ? -1
                     : 0;
        if (status >= 0 && n > 0) {
            dfopt_column_gather(c, rows->data, row_size, n, w->packed.data);
            status = append(set, w->packed.data, n);
        }
        dfopt_h5_close(set);
    }
    dfopt_h5_close(group);
    return status;
}

/* Opens a group, creating it if needed. */
static hid_t open_group(hid_t parent, const char *name)
{
    return H5Lexists(parent, name, H5P_DEFAULT) > 0
               ? H5Gopen2(parent, name, H5P_DEFAULT)
               : make_group(parent, name);
}

enum dfopt_err dfopt_sweep_writer_decisions(struct dfopt_sweep_writer *w,
                                            uint64_t variant,
                                            const struct dfopt_decisions *d,
                                            struct dfopt_error *err)
{
    char name[32];
    snprintf(name, sizeof name, "%" PRIu64, variant);
    hid_t all = open_group(w->file, "decisions");
    hid_t group = all < 0 ? -1 : open_group(all, name);
    herr_t status = group < 0 ? -1 : 0;
    if (status >= 0)
        status = append_rows(w, group, DFOPT_TABLE_VERDICTS,
                             sizeof(struct dfopt_verdict_row), &d->verdicts);
    if (status >= 0)
        status = append_rows(w, group, DFOPT_TABLE_PLANS, sizeof(struct dfopt_plan),
                             &d->plans);
    dfopt_h5_close(group);
    dfopt_h5_close(all);
    return status < 0 ? fail(w, err) : DFOPT_OK;
}

static herr_t write_strings(hid_t file, const struct dfopt_dict *dict)
{
    const hsize_t n = dfopt_dict_strings(dict);
    const char **texts = calloc(n + 1, sizeof(char *));
    hid_t group = open_group(file, "decisions");
    for (dfopt_sym s = 0; texts && s < n; s++)
        texts[s] = dfopt_dict_text(dict, s, NULL);
    herr_t status = texts && group >= 0
                        ? write_texts(group, "strings", 1, &n, texts,
                                      "what the numbers of strings stand for")
                        : -1;
    dfopt_h5_close(group);
    free((void *)texts);
    return status;
}

enum dfopt_err dfopt_sweep_writer_close(struct dfopt_sweep_writer **w, bool whole,
                                        const struct dfopt_dict *dict,
                                        struct dfopt_error *err)
{
    struct dfopt_sweep_writer *s = *w;
    enum dfopt_err e = DFOPT_OK;
    *w = NULL;
    if (!s)
        return DFOPT_OK;
    if (whole && dict && write_strings(s->file, dict) < 0)
        e = fail(s, err);
    dfopt_h5_close(s->file);
    if (!e && s->driver.failure)
        e = fail(s, err);
    if (whole && !e && rename(s->beside, s->path) < 0)
        e = dfopt_error_set(err, DFOPT_ERR_IO, "%s: %s", s->path, strerror(errno));
    if (!whole || e)
        unlink(s->beside);
    dfopt_driver_close(&s->driver);
    dfopt_buf_free(&s->packed);
    free(s->beside);
    free(s);
    return e;
}
