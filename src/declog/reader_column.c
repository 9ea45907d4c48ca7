/* Column elements. Invariants: a dataset is opened when first needed, and
 * refreshed once after each refresh of the reader. Chunks in the writer's own
 * form are unpacked here; HDF5 reads all others, which other versions of HDF5
 * or of the format may produce. */
#include "declog/h5.h"
#include "declog/reader_impl.h"

#include <string.h>
#include <sys/stat.h>

enum dfopt_err dfopt_reader_no_memory(const struct dfopt_declog_reader *r,
                                      struct dfopt_error *err)
{
    return dfopt_error_set(err, DFOPT_ERR_NOMEM, "%s: out of memory", r->path);
}

uint64_t dfopt_reader_committed(const struct dfopt_declog_reader *r, size_t store)
{
    return store < DFOPT_TABLE_COUNT ? r->run.last.rows[store]
                                     : r->run.last.pool[store - DFOPT_TABLE_COUNT];
}

bool dfopt_reader_extent(hid_t dataset, uint64_t *extent)
{
    hid_t space = H5Dget_space(dataset);
    hsize_t n = 0;
    bool ok = space >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
              H5Sget_simple_extent_dims(space, &n, NULL) == 1;
    dfopt_h5_close(space);
    *extent = n;
    return ok;
}

/* ---- the dataset ---- */

/* Whether the filters are none, deflate, or shuffle and deflate. */
static bool known_filters(hid_t plist, struct dfopt_filters *filters)
{
    const H5Z_filter_t wanted[] = {H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE};
    int n = H5Pget_nfilters(plist);
    if (n < 0 || n > 2)
        return false;
    for (int i = 0; i < n; i++) {
        unsigned flags, config;
        size_t values = 0;
        if (H5Pget_filter2(plist, (unsigned)i, &flags, &values, NULL, 0, NULL,
                           &config) != wanted[2 - n + i])
            return false;
    }
    *filters = (struct dfopt_filters){.shuffle = n == 2, .deflate = n >= 1};
    return true;
}

/* Whether the names of an enumeration in the file are our first ones, as in an
 * older version of the format. */
static bool is_older_enum(hid_t there, const struct dfopt_column *c)
{
    const int n = H5Tget_class(there) == H5T_ENUM ? H5Tget_nmembers(there) : -1;
    bool ok = n >= 0 && (uint32_t)n <= c->n_names && H5Tget_size(there) == 1;
    for (int i = 0; ok && i < n; i++) {
        uint8_t value = UINT8_MAX;
        char *name = H5Tget_member_name(there, (unsigned)i);
        ok = name && H5Tget_member_value(there, (unsigned)i, &value) >= 0 &&
             value == i && strcmp(name, c->names[i]) == 0;
        H5free_memory(name);
    }
    return ok;
}

/* Whether chunks store the elements in their memory form. */
static bool ours_to_unpack(struct dfopt_reader_series *s,
                           const struct dfopt_column *c)
{
    hsize_t rows = 0;
    hid_t plist = H5Dget_create_plist(s->dataset);
    hid_t there = H5Dget_type(s->dataset), here = dfopt_column_hdf5_type(c);
    bool ok = plist >= 0 && there >= 0 && here >= 0 &&
              (H5Tequal(there, here) > 0 || is_older_enum(there, c)) &&
              H5Pget_layout(plist) == H5D_CHUNKED &&
              H5Pget_chunk(plist, 1, &rows) == 1 && rows > 0 &&
              rows <= DFOPT_READER_CHUNK_MAX / dfopt_column_size(c) &&
              known_filters(plist, &s->filters);
    dfopt_h5_close(here);
    dfopt_h5_close(there);
    dfopt_h5_close(plist);
    s->chunk_rows = (size_t)rows;
    return ok;
}

/* Brings the column's dataset up to date. */
static bool look_up(struct dfopt_declog_reader *r, size_t store, size_t column,
                    struct dfopt_reader_series *s)
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
        s->raw = ours_to_unpack(s, &l->columns[column]);
    }
    s->generation = r->generation;
    s->n_unpacked = 0;
    return dfopt_reader_extent(s->dataset, &s->extent);
}

/* ---- by chunks ---- */

/* Updates the known length of the file. */
static void measure(struct dfopt_declog_reader *r)
{
    struct stat st;
    if (stat(r->path, &st) == 0)
        r->bytes = (uint64_t)st.st_size;
}

bool dfopt_reader_in_file(struct dfopt_declog_reader *r, hid_t dataset,
                          uint64_t first, uint64_t bytes)
{
    hsize_t at = first, size = 0;
    haddr_t address = HADDR_UNDEF;
    unsigned off;
    if (H5Dget_chunk_info_by_coord(dataset, &at, &off, &address, &size) < 0 ||
        address == HADDR_UNDEF)
        return false;
    uint64_t end = address + (bytes ? bytes : size);
    if (end > r->bytes) /* a writer may have extended the file */
        measure(r);
    return end <= r->bytes;
}

/* Unpacks the chunk that starts with element `first`. */
static enum dfopt_err unpack_chunk(struct dfopt_declog_reader *r,
                                   struct dfopt_reader_series *s, size_t size,
                                   uint64_t first)
{
    hsize_t at = first, len = 0;
    uint32_t off = 0;
    const struct dfopt_chunk_form form = {s->filters, s->chunk_rows, size};
    size_t plain = s->chunk_rows * size;
    s->n_unpacked = 0;
    if (r->run.cut && !dfopt_reader_in_file(r, s->dataset, first, 0))
        return DFOPT_ERR_FORMAT;
    if (H5Dget_chunk_storage_size(s->dataset, &at, &len) < 0 || len == 0 ||
        len > plain + DFOPT_READER_CHUNK_MAX)
        return DFOPT_ERR_FORMAT;
    dfopt_buf_clear(&r->chunk);
    dfopt_buf_clear(&s->unpacked);
    if (!dfopt_buf_grow(&r->chunk, (size_t)len) ||
        !dfopt_buf_grow(&s->unpacked, plain))
        return DFOPT_ERR_NOMEM;
    if (H5Dread_chunk(s->dataset, H5P_DEFAULT, &at, &off, r->chunk.data) < 0)
        return DFOPT_ERR_FORMAT;
    enum dfopt_err e = dfopt_unpack(r->unpacker, &form, off, r->chunk.data,
                                    (size_t)len, s->unpacked.data);
    if (e)
        return e;
    s->first_unpacked = first;
    s->n_unpacked = s->chunk_rows;
    return DFOPT_OK;
}

static enum dfopt_err read_chunks(struct dfopt_declog_reader *r,
                                  struct dfopt_reader_series *s, size_t size,
                                  uint64_t first, size_t n, char *out)
{
    while (n > 0) {
        if (first - s->first_unpacked >= s->n_unpacked) {
            enum dfopt_err e =
                unpack_chunk(r, s, size, first - first % s->chunk_rows);
            if (e)
                return e;
        }
        size_t at = (size_t)(first - s->first_unpacked), take = s->n_unpacked - at;
        if (take > n)
            take = n;
        memcpy(out, s->unpacked.data + at * size, take * size);
        out += take * size;
        first += take;
        n -= take;
    }
    return DFOPT_OK;
}

/* ---- by HDF5 ---- */

bool dfopt_reader_elements(hid_t dataset, hid_t type, uint64_t first, size_t n,
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

static enum dfopt_err read_converted(struct dfopt_reader_series *s,
                                     const struct dfopt_column *c, uint64_t first,
                                     size_t n, void *out)
{
    hid_t type = dfopt_column_hdf5_type(c);
    bool ok = type >= 0 && dfopt_reader_elements(s->dataset, type, first, n, out);
    dfopt_h5_close(type);
    return ok ? DFOPT_OK : DFOPT_ERR_FORMAT;
}

enum dfopt_err dfopt_reader_column(struct dfopt_declog_reader *r, size_t store,
                                   size_t column, uint64_t first, size_t n,
                                   void *packed, struct dfopt_error *err)
{
    const struct dfopt_layout *l = dfopt_layout_of(store);
    const struct dfopt_column *c = &l->columns[column];
    struct dfopt_reader_series *s = &r->series[store][column];
    enum dfopt_err e = DFOPT_ERR_FORMAT;
    if (look_up(r, store, column, s) && first + n <= s->extent)
        e = s->raw ? read_chunks(r, s, dfopt_column_size(c), first, n, packed)
                   : read_converted(s, c, first, n, packed);
    if (e == DFOPT_ERR_NOMEM)
        return dfopt_reader_no_memory(r, err);
    if (!e)
        return DFOPT_OK;
    char what[128];
    snprintf(what, sizeof what, "damaged: cannot read /%s/%s", l->group, c->name);
    return dfopt_h5_error(err, DFOPT_ERR_FORMAT, r->path, what);
}

bool dfopt_reader_end_in_file(struct dfopt_declog_reader *r, size_t store)
{
    uint64_t n = dfopt_reader_committed(r, store);
    bool ok = true;
    for (size_t i = 0; ok && n > 0 && i < dfopt_layout_of(store)->n_columns; i++) {
        struct dfopt_reader_series *s = &r->series[store][i];
        if (!dfopt_reader_has(r, &dfopt_layout_of(store)->columns[i]))
            continue;
        ok = look_up(r, store, i, s) && n <= s->extent &&
             (!s->raw || dfopt_reader_in_file(r, s->dataset,
                                              n - 1 - (n - 1) % s->chunk_rows, 0));
    }
    H5Eclear2(H5E_DEFAULT);
    return ok;
}

uint64_t dfopt_reader_whole_rows(struct dfopt_declog_reader *r, size_t store)
{
    const struct dfopt_layout *l = dfopt_layout_of(store);
    uint64_t rows = UINT64_MAX;
    for (size_t i = 0; i < l->n_columns; i++) {
        struct dfopt_reader_series *s = &r->series[store][i];
        uint64_t low = 0, high; /* chunks below low exist, from high on none */
        if (!dfopt_reader_has(r, &l->columns[i]))
            continue;
        if (!look_up(r, store, i, s) || !s->raw)
            return 0;
        high = (s->extent + s->chunk_rows - 1) / s->chunk_rows;
        while (low <
               high) { /* chunks lie in the order in which they were written */
            uint64_t middle = low + (high - low) / 2;
            if (dfopt_reader_in_file(r, s->dataset, middle * s->chunk_rows, 0))
                low = middle + 1;
            else
                high = middle;
        }
        uint64_t whole = low * s->chunk_rows;
        if (whole > s->extent)
            whole = s->extent;
        if (whole < rows)
            rows = whole;
    }
    H5Eclear2(H5E_DEFAULT);
    return rows;
}
