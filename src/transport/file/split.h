/* Files of JSON lines, read by many at once: the input is cut into pieces at
 * whole records, and a piece is read without looking at the others. The records
 * are those that the file source would give, in the same order. */
#ifndef DFOPT_TRANSPORT_FILE_SPLIT_H
#define DFOPT_TRANSPORT_FILE_SPLIT_H

#include "base/buf.h"
#include "transport/file/framer.h"

struct dfopt_pieces;

/* A stretch of one file; its records are those that start within. */
struct dfopt_piece {
    uint32_t file;
    uint64_t start, len; /* bytes; len 0: no piece */
};

/* Opens files for reading in pieces. `paths` are copied. Returns OK with *out
 * NULL if one of them is not a regular file of plain JSON lines (it is an array,
 * gzip, a pipe): read them with the file source. OK, NOMEM or IO. */
enum dfopt_err dfopt_pieces_open(struct dfopt_pieces **out,
                                 const char *const *paths, size_t n,
                                 size_t max_record_bytes, struct dfopt_error *err);
void dfopt_pieces_close(struct dfopt_pieces *p);

/* Name and size at opening of a file; files in the order given. */
size_t dfopt_pieces_files(const struct dfopt_pieces *p);
const char *dfopt_pieces_name(const struct dfopt_pieces *p, uint32_t file);
uint64_t dfopt_pieces_size(const struct dfopt_pieces *p, uint32_t file);

/* Sets the size that pieces are cut from, so that all who read a file that
 * grows cut it alike. */
void dfopt_pieces_set_size(struct dfopt_pieces *p, uint32_t file, uint64_t size);

/* The piece of at most `most` bytes (at least 1) that follows *at (file and
 * start), and moves *at behind it. Returns a piece of len 0 at the end. */
struct dfopt_piece dfopt_pieces_next(const struct dfopt_pieces *p,
                                     struct dfopt_piece *at, uint64_t most);

/* The records of a piece, one by one. The piece is read little by little, so
 * that a record is decoded while its bytes are still in the processor's cache. */
struct dfopt_piece_reader {
    struct dfopt_pieces *pieces; /* borrowed */
    struct dfopt_piece piece;
    const char *name;
    struct dfopt_buf bytes; /* from the window on; dfopt_buf_free */
    uint64_t offset;        /* in the file, of their first */
    struct dfopt_framer framer;
    struct dfopt_framer_window window;
    enum dfopt_err status; /* of the last read */
    struct dfopt_error err;
};

/* Starts on a piece. OK, NOMEM or IO. */
enum dfopt_err dfopt_piece_load(struct dfopt_pieces *p,
                                const struct dfopt_piece *piece,
                                struct dfopt_piece_reader *r,
                                struct dfopt_error *err);

/* The next record; `line` counts from 1 at the piece's first. Returns whether
 * there is one; if not, r->status says whether all could be read (OK, NOMEM, IO;
 * r->err has the text). The record is borrowed until the next call. */
bool dfopt_piece_next(struct dfopt_piece_reader *r, struct dfopt_record *record);

/* After the last record: how many lines the piece has. */
uint64_t dfopt_piece_lines(const struct dfopt_piece_reader *r);

#endif
