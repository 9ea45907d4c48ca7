/* Reads the file of a sweep. It is not trusted: every extent and type is
 * checked before reading. */
#include "declog/sweep_file.h"

#include "declog/h5.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CELLS_MAX ((hsize_t)1 << 28)

/* Opens a dataset with the given number of dimensions; sets *dims. */
static hid_t open_array(hid_t file, const char *name, int rank, hsize_t *dims)
{
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    hid_t space = set < 0 ? -1 : H5Dget_space(set);
    bool good = space >= 0 && H5Sget_simple_extent_ndims(space) == rank &&
                H5Sget_simple_extent_dims(space, dims, NULL) >= 0;
    hsize_t n = 1;
    for (int i = 0; good && i < rank; i++) {
        good = dims[i] <= CELLS_MAX / (n ? n : 1);
        n *= dims[i];
    }
    dfopt_h5_close(space);
    if (good)
        return set;
    dfopt_h5_close(set);
    return -1;
}

static bool class_is(hid_t set, H5T_class_t class)
{
    hid_t type = H5Dget_type(set);
    const H5T_class_t is = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    const bool good = is == class || (class == H5T_FLOAT && is == H5T_INTEGER);
    const bool text = is != H5T_STRING || H5Tis_variable_str(type) > 0;
    /* HDF5 allocates as many bytes as the file gives for a number */
    const bool small = is == H5T_STRING || H5Tget_size(type) <= sizeof(double);
    dfopt_h5_close(type);
    return good && text && small;
}

/* Reads texts; the caller owns each of them and the array. */
static char **read_texts(hid_t file, const char *name, int rank, hsize_t *dims)
{
    hid_t set = open_array(file, name, rank, dims);
    if (set < 0)
        return NULL;
    const size_t n = (size_t)(dims[0] * (rank > 1 ? dims[1] : 1));
    hid_t type = class_is(set, H5T_STRING) ? H5Dget_type(set) : -1;
    char **raw = calloc(n + 1, sizeof *raw), **texts = calloc(n + 1, sizeof *texts);
    bool good =
        raw && texts && type >= 0 &&
        (n == 0 || H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, raw) >= 0);
    for (size_t i = 0; good && i < n; i++)
        good = (texts[i] = strdup(raw[i] ? raw[i] : "")) != NULL;
    for (size_t i = 0; raw && i < n; i++)
        if (raw[i])
            H5free_memory(raw[i]);
    free(raw);
    dfopt_h5_close(type);
    dfopt_h5_close(set);
    if (good)
        return texts;
    for (size_t i = 0; texts && i < n; i++)
        free(texts[i]);
    free(texts);
    return NULL;
}

/* Reads numbers as doubles, integers included. */
static bool read_numbers(hid_t file, const char *name, int rank,
                         const hsize_t *want, double *out)
{
    hsize_t dims[2] = {0};
    hid_t set = open_array(file, name, rank, dims);
    hsize_t n = 1;
    bool good = set >= 0 && class_is(set, H5T_FLOAT);
    for (int i = 0; i < rank && good; i++) {
        good = dims[i] == want[i];
        n *= dims[i];
    }
    if (good && n > 0)
        good = H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                       out) >= 0;
    dfopt_h5_close(set);
    return good;
}

static bool read_parameters(struct dfopt_sweep_table *t, hid_t file)
{
    hsize_t dims[2] = {0}, n = 0;
    t->paths = read_texts(file, "parameters/path", 1, &n);
    if (!t->paths)
        return false;
    t->n_parameters = (size_t)n;
    char **settings = read_texts(file, "parameters/setting", 2, dims);
    t->settings = settings;
    t->n = (size_t)dims[0];
    if (!settings || dims[1] != n)
        return false;
    t->numbers = calloc(t->n * t->n_parameters + 1, sizeof *t->numbers);
    return t->numbers &&
           read_numbers(file, "parameters/number", 2, dims, t->numbers);
}

static bool read_metrics(struct dfopt_sweep_table *t, hid_t file)
{
    const hsize_t n = t->n;
    char name[64];
    t->n_metrics = dfopt_sweep_metric_table(t->metrics);
    t->values = calloc(t->n_metrics * t->n + 1, sizeof *t->values);
    bool good = t->values != NULL;
    for (size_t m = 0; m < t->n_metrics && good; m++) {
        snprintf(name, sizeof name, "metrics/%s", t->metrics[m].name);
        good = read_numbers(file, name, 1, &n, t->values + m * t->n);
    }
    return good;
}

/* Opens the file of a sweep of this version. */
static enum dfopt_err open_file(const char *path, hid_t *out,
                                struct dfopt_error *err)
{
    struct dfopt_buf format = {0};
    int64_t version = 0;
    struct dfopt_h5_access how;
    enum dfopt_err e = dfopt_h5_look(path, err);
    if (e)
        return e;
    dfopt_h5_quiet();
    hid_t file = dfopt_h5_open(path, &how);
    if (file < 0)
        return dfopt_h5_error(err, DFOPT_ERR_IO, path, "cannot open");
    if (how.cut) /* HDF5 searches for ever for texts whose end is lost */
        e = dfopt_error_set(err, DFOPT_ERR_FORMAT, "%s: truncated", path);
    else if (dfopt_h5_read_text(file, "format", &format) < 0 ||
             strcmp(format.data, DFOPT_SWEEP_FORMAT) != 0 ||
             dfopt_h5_read_int(file, "format_version", &version) < 0)
        e = dfopt_error_set(
            err, DFOPT_ERR_FORMAT,
            "%s: does not hold a sweep; see --sweep-output of dfopt-mpi", path);
    else if (version != DFOPT_SWEEP_VERSION)
        e = dfopt_error_set(err, DFOPT_ERR_FORMAT,
                            "%s: format version %" PRId64 ", this program reads %d",
                            path, version, DFOPT_SWEEP_VERSION);
    dfopt_buf_free(&format);
    if (e)
        dfopt_h5_close(file);
    else
        *out = file;
    return e;
}

enum dfopt_err dfopt_sweep_table_read(struct dfopt_sweep_table *t, const char *path,
                                      struct dfopt_error *err)
{
    struct dfopt_sweep_table read = {0};
    hid_t file;
    enum dfopt_err e = open_file(path, &file, err);
    if (e)
        return e;
    if (!read_parameters(&read, file) || !read_metrics(&read, file) ||
        dfopt_h5_read_int(file, "findings", &read.findings) < 0 ||
        dfopt_h5_read_real(file, "severity", &read.severity) < 0)
        e = dfopt_h5_error(err, DFOPT_ERR_FORMAT, path, "is damaged");
    dfopt_h5_close(file);
    if (e)
        dfopt_sweep_table_free(&read);
    else
        *t = read;
    return e;
}

void dfopt_sweep_table_free(struct dfopt_sweep_table *t)
{
    for (size_t i = 0; t->paths && i < t->n_parameters; i++)
        free(t->paths[i]);
    for (size_t i = 0; t->settings && i < t->n * t->n_parameters; i++)
        free(t->settings[i]);
    free(t->paths);
    free(t->settings);
    free(t->numbers);
    free(t->values);
    *t = (struct dfopt_sweep_table){0};
}

enum dfopt_err dfopt_sweep_policy_read(const char *path, uint64_t variant,
                                       struct dfopt_buf *out,
                                       struct dfopt_error *err)
{
    hid_t file;
    hsize_t n = 0;
    enum dfopt_err e = open_file(path, &file, err);
    if (e)
        return e;
    char **policies = read_texts(file, "policies", 1, &n);
    if (!policies)
        e = dfopt_h5_error(err, DFOPT_ERR_FORMAT, path, "is damaged");
    else if (variant >= n)
        e = dfopt_error_set(err, DFOPT_ERR_ARG,
                            "%s: no variant %" PRIu64 "; the sweep has %" PRIu64
                            ", from 0",
                            path, variant, (uint64_t)n);
    else
        e = dfopt_buf_printf(out, "%s\n", policies[variant]);
    for (size_t i = 0; policies && i < n; i++)
        free(policies[i]);
    free(policies);
    dfopt_h5_close(file);
    return e;
}
