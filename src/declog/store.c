/* From rows to chunks to the file. Invariant: between calls a store's chunk is
 * not full, and all earlier chunks are in the file. */
#include "declog/store.h"
#include "declog/h5.h"

#include <stdlib.h>
#include <string.h>

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
    *s =
        (struct dfopt_store){.layout = l, .series = series, .chunk = {.layout = l}};
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
    dfopt_chunk_free(&s->chunk);
    *s = (struct dfopt_store){.layout = NULL};
}

/* Writes a column of the chunk that holds the rows from s->base on; it has n so
 * far. */
static herr_t put_column(struct dfopt_store *s, size_t column,
                         const struct dfopt_packed *c, size_t n)
{
    struct dfopt_series *out = &s->series[column];
    hsize_t start = s->base, extent = s->base + n;
    if (extent > out->extent && H5Dset_extent(out->dataset, &extent) < 0)
        return -1;
    out->extent = extent;
    if (H5Dwrite_chunk(out->dataset, H5P_DEFAULT, c->filters_off, &start, c->len,
                       c->bytes) < 0)
        return -1;
    if (out->stored != c->len)
        out->left_behind += out->stored;
    out->stored = c->len;
    if (n == s->layout->chunk_rows)
        out->stored = out->left_behind = 0;
    return 0;
}

/* Writes a column of the chunk being filled. */
static herr_t put_chunk(struct dfopt_store *s, size_t column,
                        struct dfopt_packer *p)
{
    const size_t rows = s->layout->chunk_rows;
    const size_t plain = rows * dfopt_column_size(&s->layout->columns[column]);
    const bool deflate =
        s->chunk.rows == rows || s->series[column].left_behind < plain;
    struct dfopt_packed c = dfopt_pack(p, &s->chunk, column, deflate);
    /* HDF5 would overwrite the older copy, which commits count, with a chunk of
     * the same size: a byte after the deflated stream changes the size */
    if (c.bytes == p->packed && c.len == s->series[column].stored && c.len < plain)
        p->packed[c.len++] = 0;
    return put_column(s, column, &c, s->chunk.rows);
}

static enum dfopt_err write_chunk(struct dfopt_store *s, struct dfopt_packer *p)
{
    for (size_t i = 0; i < s->layout->n_columns; i++)
        if (put_chunk(s, i, p) < 0)
            return DFOPT_ERR_IO;
    s->on_file = s->chunk.rows;
    if (s->chunk.rows == s->layout->chunk_rows) {
        s->base += s->chunk.rows;
        s->chunk.rows = s->on_file = 0;
    }
    return DFOPT_OK;
}

enum dfopt_err dfopt_store_add(struct dfopt_store *s, struct dfopt_packer *p,
                               const void *rows, size_t n)
{
    const char *at = rows;
    while (n > 0) {
        const size_t taken = dfopt_chunk_add(&s->chunk, at, n);
        enum dfopt_err e = taken ? DFOPT_OK : DFOPT_ERR_NOMEM;
        if (s->chunk.rows == s->layout->chunk_rows)
            e = write_chunk(s, p);
        if (e)
            return e;
        at += taken * s->layout->row_size;
        n -= taken;
    }
    return DFOPT_OK;
}

enum dfopt_err dfopt_store_add_chunk(struct dfopt_store *s,
                                     const struct dfopt_packed *columns)
{
    const size_t rows = s->layout->chunk_rows;
    if (s->chunk.rows > 0)
        return DFOPT_ERR_FORMAT;
    for (size_t i = 0; i < s->layout->n_columns; i++)
        if (put_column(s, i, &columns[i], rows) < 0)
            return DFOPT_ERR_IO;
    s->base += rows;
    return DFOPT_OK;
}

enum dfopt_err dfopt_store_write(struct dfopt_store *s, struct dfopt_packer *p)
{
    return s->chunk.rows > s->on_file ? write_chunk(s, p) : DFOPT_OK;
}

uint64_t dfopt_store_rows(const struct dfopt_store *s)
{
    return s->base + s->chunk.rows;
}
