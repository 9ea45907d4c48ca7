/* One column of a table: conversion between row members and packed arrays, and
 * its type in HDF5. Both memory and file are little-endian. */
#include "declog/layout.h"

#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "chunks are written as they lie in memory");

size_t dfopt_column_size(const struct dfopt_column *c)
{
    switch (c->type) {
    case DFOPT_COLUMN_BYTE:
    case DFOPT_COLUMN_FLAG:
    case DFOPT_COLUMN_ENUM:
    case DFOPT_COLUMN_KIND:
        return 1;
    case DFOPT_COLUMN_U32:
    case DFOPT_COLUMN_SYM:
    case DFOPT_COLUMN_LIST:
    case DFOPT_COLUMN_STR:
        return 4;
    default:
        return 8;
    }
}

static uint8_t low_byte(const void *member)
{
    uint32_t v;
    memcpy(&v, member, sizeof v);
    return (uint8_t)v;
}

static struct dfopt_value value_at(const void *member)
{
    struct dfopt_value v;
    memcpy(&v, member, sizeof v);
    return v;
}

static int64_t value_int(struct dfopt_value v)
{
    return v.kind == DFOPT_KIND_INT || v.kind == DFOPT_KIND_BOOL ? v.i : 0;
}

static double value_real(struct dfopt_value v)
{
    return dfopt_value_is_number(v) ? dfopt_value_as_double(v) : NAN;
}

static dfopt_sym value_str(struct dfopt_value v)
{
    return v.kind == DFOPT_KIND_STR ? v.str : DFOPT_SYM_NONE;
}

/* for each row: `at` is its member, `i` its index */
#define EACH(statement)                                                            \
    for (size_t i = 0; i < n; i++, at += row_size)                                 \
        statement;                                                                 \
    break

void dfopt_column_gather(const struct dfopt_column *c, const void *rows,
                         size_t row_size, size_t n, void *packed)
{
    const char *at = (const char *)rows + c->offset;
    uint8_t *u8 = packed;
    uint32_t *u32 = packed;
    uint64_t *u64 = packed;
    int64_t *i64 = packed;
    double *f64 = packed;
    switch (c->type) {
    case DFOPT_COLUMN_BYTE:
        memcpy(packed, rows, n);
        break;
    case DFOPT_COLUMN_U32:
    case DFOPT_COLUMN_SYM:
    case DFOPT_COLUMN_LIST:
        EACH(memcpy(u32 + i, at, 4));
    case DFOPT_COLUMN_U64:
    case DFOPT_COLUMN_I64:
    case DFOPT_COLUMN_F64:
        EACH(memcpy(u64 + i, at, 8));
    case DFOPT_COLUMN_FLAG:
    case DFOPT_COLUMN_ENUM:
    case DFOPT_COLUMN_KIND:
        EACH(u8[i] = low_byte(at));
    case DFOPT_COLUMN_TEXT:
        EACH(memcpy(u64 + i, at + offsetof(struct dfopt_declog_text, end), 8));
    case DFOPT_COLUMN_INT:
        EACH(i64[i] = value_int(value_at(at)));
    case DFOPT_COLUMN_REAL:
        EACH(f64[i] = value_real(value_at(at)));
    case DFOPT_COLUMN_STR:
        EACH(u32[i] = value_str(value_at(at)));
    }
}

static void put_u32(char *member, uint32_t v)
{
    memcpy(member, &v, sizeof v);
}

/* Sets the part of a value that its kind, already set, selects. */
static void put_value(char *member, const struct dfopt_column *c, const void *part)
{
    struct dfopt_value v = value_at(member);
    if (c->type == DFOPT_COLUMN_INT &&
        (v.kind == DFOPT_KIND_INT || v.kind == DFOPT_KIND_BOOL))
        memcpy(&v.i, part, sizeof v.i);
    else if (c->type == DFOPT_COLUMN_REAL && v.kind == DFOPT_KIND_REAL)
        memcpy(&v.d, part, sizeof v.d);
    else if (c->type == DFOPT_COLUMN_STR && v.kind == DFOPT_KIND_STR)
        memcpy(&v.str, part, sizeof v.str);
    else
        return;
    memcpy(member, &v, sizeof v);
}

void dfopt_column_scatter(const struct dfopt_column *c, const void *packed,
                          size_t n, void *rows, size_t row_size)
{
    char *at = (char *)rows + c->offset;
    const uint8_t *u8 = packed;
    const uint32_t *u32 = packed;
    const uint64_t *u64 = packed;
    switch (c->type) {
    case DFOPT_COLUMN_BYTE:
        memcpy(rows, packed, n);
        break;
    case DFOPT_COLUMN_U32:
    case DFOPT_COLUMN_SYM:
    case DFOPT_COLUMN_LIST:
        EACH(memcpy(at, u32 + i, 4));
    case DFOPT_COLUMN_U64:
    case DFOPT_COLUMN_I64:
    case DFOPT_COLUMN_F64:
        EACH(memcpy(at, u64 + i, 8));
    case DFOPT_COLUMN_FLAG:
    case DFOPT_COLUMN_ENUM:
    case DFOPT_COLUMN_KIND:
        EACH(put_u32(at, u8[i]));
    case DFOPT_COLUMN_TEXT:
        EACH(memcpy(at + offsetof(struct dfopt_declog_text, end), u64 + i, 8));
    case DFOPT_COLUMN_INT:
    case DFOPT_COLUMN_REAL:
        EACH(put_value(at, c, u64 + i));
    case DFOPT_COLUMN_STR:
        EACH(put_value(at, c, u32 + i));
    }
}

static hid_t enum_type(const struct dfopt_column *c)
{
    hid_t type = H5Tenum_create(H5T_STD_U8LE);
    for (uint32_t i = 0; type >= 0 && i < c->n_names; i++) {
        uint8_t value = (uint8_t)i;
        if (H5Tenum_insert(type, c->names[i], &value) < 0) {
            H5Tclose(type);
            return -1;
        }
    }
    return type;
}

hid_t dfopt_column_hdf5_type(const struct dfopt_column *c)
{
    switch (c->type) {
    case DFOPT_COLUMN_ENUM:
    case DFOPT_COLUMN_KIND:
        return enum_type(c);
    case DFOPT_COLUMN_BYTE:
    case DFOPT_COLUMN_FLAG:
        return H5Tcopy(H5T_STD_U8LE);
    case DFOPT_COLUMN_U32:
    case DFOPT_COLUMN_SYM:
    case DFOPT_COLUMN_LIST:
    case DFOPT_COLUMN_STR:
        return H5Tcopy(H5T_STD_U32LE);
    case DFOPT_COLUMN_I64:
    case DFOPT_COLUMN_INT:
        return H5Tcopy(H5T_STD_I64LE);
    case DFOPT_COLUMN_F64:
    case DFOPT_COLUMN_REAL:
        return H5Tcopy(H5T_IEEE_F64LE);
    default:
        return H5Tcopy(H5T_STD_U64LE);
    }
}

hid_t dfopt_commit_hdf5_type(void)
{
    hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(struct dfopt_declog_commit_row));
    if (type < 0)
        return type;
#define AT(member) offsetof(struct dfopt_declog_commit_row, at.member)
    herr_t bad = H5Tinsert(type, "next_seq", AT(next_seq), H5T_STD_U64LE);
    bad |= H5Tinsert(type, "offset", AT(offset), H5T_STD_U64LE);
    bad |= H5Tinsert(type, "record_line", AT(record_line), H5T_STD_U64LE);
    bad |= H5Tinsert(type, "wall_ns", AT(wall_ns), H5T_STD_I64LE);
    bad |= H5Tinsert(type, "origin", AT(origin), H5T_STD_U32LE);
#undef AT
    size_t at = offsetof(struct dfopt_declog_commit_row, rows);
    for (size_t i = 0; i < DFOPT_STORE_COUNT; i++, at += sizeof(uint64_t))
        bad |= H5Tinsert(type, dfopt_layout_of(i)->count, at, H5T_STD_U64LE);
    if (bad >= 0)
        return type;
    H5Tclose(type);
    return -1;
}
