/* Decision logs whose HDF5 structures are whole and whose numbers are wrong: what
 * our own reading must stand. The input is a list of edits of 12 bytes: a column
 * (2), a row (2), and what it is to hold (8). The last column is /commits, by
 * bytes. */
#include "declog/h5.h"
#include "declog/layout.h"
#include "declog_base.h"
#include "fuzz.h"

#include <unistd.h>

#define COLUMNS_MAX 400
#define EDITS_MAX   16
#define ROWS_NEAR   8 /* the rows that there are, and a few beyond */

struct place { /* of a column's first chunk in the file */
    haddr_t at;
    hsize_t bytes;
    size_t element; /* bytes */
};

static struct declog_base base;
static struct place places[COLUMNS_MAX];
static size_t n_places;

static void add_place(hid_t file, const char *name, size_t element)
{
    struct place p = {.element = element};
    const hsize_t first = 0;
    unsigned off;
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    FUZZ_CHECK(dataset >= 0 && n_places < COLUMNS_MAX, "%s", name);
    if (H5Dget_chunk_info_by_coord(dataset, &first, &off, &p.at, &p.bytes) >= 0 &&
        p.at != HADDR_UNDEF && p.bytes >= element)
        places[n_places++] = p;
    H5Dclose(dataset);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    declog_base_make(&base, 0, 1);
    hid_t file = dfopt_h5_open(base.path, NULL);
    FUZZ_CHECK(file >= 0, "%s", base.path);
    for (size_t s = 0; s < DFOPT_STORE_COUNT; s++) {
        const struct dfopt_layout *l = dfopt_layout_of(s);
        for (size_t i = 0; i < l->n_columns; i++) {
            char name[96];
            snprintf(name, sizeof name, "%s/%s", l->group, l->columns[i].name);
            add_place(file, name, dfopt_column_size(&l->columns[i]));
        }
    }
    add_place(file, "commits", 1);
    H5Fclose(file);
    FUZZ_CHECK(n_places > 100, "only %zu columns have rows", n_places);
    return 0;
}

/* Where an edit goes. The last commit's row is the last of the rows of /commits. */
static off_t place_of(const struct place *p, uint64_t row)
{
    const uint64_t n = p->bytes / p->element;
    const uint64_t near = p->element == 1 ? n : ROWS_NEAR;
    return (off_t)(p->at + row % (near < n ? near : n) * p->element);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    off_t done[EDITS_MAX];
    struct dfopt_error err;
    size_t n = 0;
    for (; n < EDITS_MAX && in.left > 0; n++) {
        const struct place *p = &places[fuzz_number(&in, 2) % n_places];
        const uint64_t row = fuzz_number(&in, 2), value = fuzz_number(&in, 8);
        size_t width = p->element == 1 ? (row >> 12) % 2 * 7 + 1 : p->element;
        done[n] = place_of(p, row);
        if ((size_t)done[n] + width > base.n)
            width = base.n - (size_t)done[n];
        FUZZ_CHECK(pwrite(base.fd, &value, width, done[n]) == (ssize_t)width,
                   "cannot edit");
    }
    (void)declog_base_read(base.path, &err);
    for (size_t i = 0; i < n; i++) {
        size_t width = base.n - (size_t)done[i] < 8 ? base.n - (size_t)done[i] : 8;
        FUZZ_CHECK(pwrite(base.fd, base.bytes + done[i], width, done[i]) ==
                       (ssize_t)width,
                   "cannot take back");
    }
    return 0;
}
