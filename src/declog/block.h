/* Rows of a decision log, prepared on one rank and appended on another. A block
 * follows the chunks of the file: whole chunks are packed; the rows before and
 * after them are left as they are. */
#ifndef DFOPT_DECLOG_BLOCK_H
#define DFOPT_DECLOG_BLOCK_H

#include "declog/pack.h"
#include "declog/writer.h"

struct dfopt_block_packer { /* one thread; zero-initialise */
    struct dfopt_packer packer;
    struct dfopt_chunk findings, verdicts; /* being filled; empty between blocks */
};

/* OK or NOMEM. `level` as at the log's creation. */
enum dfopt_err dfopt_block_packer_init(struct dfopt_block_packer *p, int level);
void dfopt_block_packer_free(struct dfopt_block_packer *p);

/* Rows per chunk of the table. */
uint64_t dfopt_block_chunk_rows(enum dfopt_declog_table table);

/* Appends a block of n rows to *out; its first row becomes row `first` of the
 * table: DFOPT_TABLE_FINDINGS, of struct dfopt_finding_row, or
 * DFOPT_TABLE_VERDICTS, of struct dfopt_verdict_row. OK or NOMEM. */
enum dfopt_err dfopt_block_add(struct dfopt_block_packer *p,
                               enum dfopt_declog_table table, const void *rows,
                               size_t n, uint64_t first, struct dfopt_buf *out);

/* Appends blocks to the log, in row order. OK, IO, NOMEM, or FORMAT if they are
 * malformed or not the next rows. len may be 0. */
enum dfopt_err dfopt_declog_blocks(struct dfopt_declog *w, const char *bytes,
                                   size_t len);

/* Metrics in row form, NaN for those that are not numbers; returns the bits of
 * the bad ones. */
uint32_t dfopt_declog_put_metrics(const uint8_t state[DFOPT_METRIC_COUNT],
                                  const double metric[DFOPT_METRIC_COUNT],
                                  double out[DFOPT_METRIC_COUNT]);

/* Converts a finding to a row of the log. */
struct dfopt_declog_finding_row
dfopt_declog_finding_row(const struct dfopt_finding_row *in);

#endif
