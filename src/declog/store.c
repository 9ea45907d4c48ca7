/* Rows to chunks to the file. Invariant: between calls a store's buffer holds
 * less than one chunk, and every chunk before it is in the file. */
#include "declog/store.h"
#include "declog/h5.h"

#include <stdlib.h>
#include <string.h>

/* The largest chunk of any column, in bytes; see layout.c. */
#define CHUNK_BYTES_MAX 65536

enum dfopt_err dfopt_packer_init(struct dfopt_packer *p, int level)
{
    struct dfopt_packer fresh = {.level = level,
                                 .packed_size = compressBound(CHUNK_BYTES_MAX)};
    fresh.plain = malloc(CHUNK_BYTES_MAX);
    fresh.shuffled = malloc(CHUNK_BYTES_MAX);
    fresh.packed = malloc(fresh.packed_size);
    if (!fresh.plain || !fresh.shuffled || !fresh.packed) {
        free(fresh.plain);
        free(fresh.shuffled);
        free(fresh.packed);
        return DFOPT_ERR_NOMEM;
    }
    *p = fresh;
    if (level > 0 && deflateInit(&p->stream, level) != Z_OK) {
        p->level = 0;
        dfopt_packer_free(p);
        return DFOPT_ERR_NOMEM;
    }
    return DFOPT_OK;
}

void dfopt_packer_free(struct dfopt_packer *p)
{
    if (p->level > 0)
        deflateEnd(&p->stream);
    free(p->plain);
    free(p->shuffled);
    free(p->packed);
    *p = (struct dfopt_packer){.level = 0};
}

/* HDF5's shuffle filter: the first bytes of all elements, then the second. */
static void shuffle(const unsigned char *plain, size_t n, size_t size,
                    unsigned char *out)
{
    for (size_t b = 0; b < size; b++)
        for (size_t i = 0; i < n; i++)
            *out++ = plain[i * size + b];
}

/* What HDF5's shuffle and deflate filters would make of p->plain. Returns its
 * length in p->packed, or 0 if it is not shorter. */
static size_t pack(struct dfopt_packer *p, size_t n, size_t size)
{
    unsigned char *in = p->plain;
    if (size > 1) {
        shuffle(p->plain, n, size, p->shuffled);
        in = p->shuffled;
    }
    deflateReset(&p->stream);
    p->stream.next_in = in;
    p->stream.avail_in = (uInt)(n * size);
    p->stream.next_out = p->packed;
    p->stream.avail_out = (uInt)p->packed_size;
    if (deflate(&p->stream, Z_FINISH) != Z_STREAM_END)
        return 0;
    size_t len = p->packed_size - p->stream.avail_out;
    return len < n * size ? len : 0;
}

static hid_t create_dataset(hid_t group, const struct dfopt_column *c,
                            uint32_t rows, int level)
{
    hsize_t none = 0, unlimited = H5S_UNLIMITED, chunk = rows;
    hid_t dataset = -1;
    hid_t type = dfopt_column_hdf5_type(c);
    hid_t space = H5Screate_simple(1, &none, &unlimited);
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    if (type < 0 || space < 0 || plist < 0 || H5Pset_chunk(plist, 1, &chunk) < 0)
        goto done;
    if (level > 0 && dfopt_column_size(c) > 1 && H5Pset_shuffle(plist) < 0)
        goto done;
    if (level > 0 && H5Pset_deflate(plist, (unsigned)level) < 0)
        goto done;
    dataset =
        H5Dcreate2(group, c->name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    if (dataset >= 0 &&
        (dfopt_h5_write_text(dataset, "units", c->units) < 0 ||
         dfopt_h5_write_text(dataset, "description", c->text) < 0)) {
        dfopt_h5_close(dataset);
        dataset = -1;
    }
done:
    dfopt_h5_close(plist);
    dfopt_h5_close(space);
    dfopt_h5_close(type);
    return dataset;
}

/* The table's group. Its links stay in its header, which keeps the file small. */
static hid_t open_group(hid_t file, const char *name)
{
    if (H5Lexists(file, name, H5P_DEFAULT) > 0)
        return H5Gopen2(file, name, H5P_DEFAULT);
    hid_t group = -1;
    hid_t plist = H5Pcreate(H5P_GROUP_CREATE);
    if (plist >= 0 &&
        H5Pset_link_phase_change(plist, 2 * DFOPT_COLUMNS_MAX, 0) >= 0)
        group = H5Gcreate2(file, name, H5P_DEFAULT, plist, H5P_DEFAULT);
    dfopt_h5_close(plist);
    return group;
}

enum dfopt_err dfopt_store_create(struct dfopt_store *s,
                                  const struct dfopt_layout *l, hid_t file,
                                  int level)
{
    struct dfopt_series *series = calloc(l->n_columns, sizeof *series);
    if (!series)
        return DFOPT_ERR_NOMEM;
    for (size_t i = 0; i < l->n_columns; i++)
        series[i].dataset = -1;
    *s = (struct dfopt_store){.layout = l, .series = series};
    hid_t group = open_group(file, l->group);
    bool ok = group >= 0;
    for (size_t i = 0; ok && i < l->n_columns; i++) {
        series[i].dataset =
            create_dataset(group, &l->columns[i], l->chunk_rows, level);
        ok = series[i].dataset >= 0;
    }
    dfopt_h5_close(group);
    if (ok)
        return DFOPT_OK;
    dfopt_store_close(s);
    return DFOPT_ERR_IO;
}

void dfopt_store_close(struct dfopt_store *s)
{
    for (size_t i = 0; s->series && i < s->layout->n_columns; i++)
        dfopt_h5_close(s->series[i].dataset);
    free(s->series);
    dfopt_buf_free(&s->rows);
    *s = (struct dfopt_store){.layout = NULL};
}

/* Writes the first n rows of the buffer as the series' chunk. */
static herr_t put_chunk(struct dfopt_store *s, size_t column,
                        struct dfopt_packer *p, size_t n)
{
    const struct dfopt_column *c = &s->layout->columns[column];
    struct dfopt_series *out = &s->series[column];
    size_t size = dfopt_column_size(c), rows = s->layout->chunk_rows;
    size_t len = rows * size;
    bool full = n == rows;

    dfopt_column_gather(c, s->rows.data, s->layout->row_size, n, p->plain);
    memset(p->plain + n * size, 0, (rows - n) * size);
    size_t packed = 0;
    if (p->level > 0 && (full || out->left_behind < len))
        packed = pack(p, rows, size);
    uint32_t skipped_filters = p->level > 0 && !packed ? (size > 1 ? 3u : 1u) : 0;
    if (packed)
        len = packed;

    hsize_t start = s->base, extent = s->base + n;
    if (extent > out->extent && H5Dset_extent(out->dataset, &extent) < 0)
        return -1;
    out->extent = extent;
    if (H5Dwrite_chunk(out->dataset, H5P_DEFAULT, skipped_filters, &start, len,
                       packed ? p->packed : p->plain) < 0)
        return -1;
    if (out->stored != len)
        out->left_behind += out->stored;
    out->stored = len;
    if (full)
        out->stored = out->left_behind = 0;
    return 0;
}

static enum dfopt_err write_buffer(struct dfopt_store *s, struct dfopt_packer *p)
{
    size_t n = s->rows.len / s->layout->row_size;
    for (size_t i = 0; i < s->layout->n_columns; i++)
        if (put_chunk(s, i, p, n) < 0)
            return DFOPT_ERR_IO;
    s->on_file = n;
    if (n == s->layout->chunk_rows) {
        s->base += n;
        s->on_file = 0;
        dfopt_buf_clear(&s->rows);
    }
    return DFOPT_OK;
}

enum dfopt_err dfopt_store_add(struct dfopt_store *s, struct dfopt_packer *p,
                               const void *rows, size_t n)
{
    size_t size = s->layout->row_size;
    const char *at = rows;
    while (n > 0) {
        size_t room = s->layout->chunk_rows - s->rows.len / size;
        size_t take = n < room ? n : room;
        enum dfopt_err e = dfopt_buf_add(&s->rows, at, take * size);
        if (!e && take == room)
            e = write_buffer(s, p);
        if (e)
            return e;
        at += take * size;
        n -= take;
    }
    return DFOPT_OK;
}

enum dfopt_err dfopt_store_write(struct dfopt_store *s, struct dfopt_packer *p)
{
    return dfopt_store_dirty(s) ? write_buffer(s, p) : DFOPT_OK;
}

uint64_t dfopt_store_rows(const struct dfopt_store *s)
{
    return s->base + s->rows.len / s->layout->row_size;
}

bool dfopt_store_dirty(const struct dfopt_store *s)
{
    return s->rows.len / s->layout->row_size > s->on_file;
}
