/* Blocks of rows that other ranks have made ready for the log (declog/block.h). The
 * first byte says how: 0, all is the input's; else a right header (with the table,
 * and the rows before, the chunks and the rows behind that the next bytes say)
 * comes before it. */
#include "declog/block.h"
#include "declog/writer.h"
#include "fuzz.h"

#include <unistd.h>

static char path[] = "/tmp/dfopt-fuzz-XXXXXX";

static void remove_file(void)
{
    unlink(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    FUZZ_CHECK(close(mkstemp(path)) == 0, "%s", path);
    atexit(remove_file);
    return 0;
}

/* As declog/block.c has it. */
struct header {
    uint32_t table, reserved;
    uint64_t first, head, chunks, tail;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dfopt_declog_options options = {.path = path,
                                                 .compression = 1,
                                                 .detail = DFOPT_DETAIL_FINDINGS,
                                                 .ranks = 2};
    struct fuzz_input in = {data, size};
    struct dfopt_dict *dict = NULL;
    struct dfopt_declog *w = NULL;
    struct dfopt_buf block = {0};
    struct dfopt_error err = {.text = ""};
    FUZZ_CHECK(!dfopt_dict_create(&dict, false) &&
                   !dfopt_declog_create(&w, dict, &options, &err),
               "%s", err.text);
    if (fuzz_number(&in, 1)) {
        struct header h = {.table = (uint32_t)fuzz_number(&in, 1)};
        h.head = fuzz_number(&in, 1);
        h.chunks = fuzz_number(&in, 1);
        h.tail = fuzz_number(&in, 1);
        FUZZ_CHECK(!dfopt_buf_add(&block, &h, sizeof h), "out of memory");
    }
    FUZZ_CHECK(!dfopt_buf_add(&block, in.at, in.left), "out of memory");
    void *bytes = fuzz_copy(block.data, block.len);
    const enum dfopt_err e = dfopt_declog_blocks(w, bytes, block.len);
    const struct dfopt_error *why = dfopt_declog_error(w);
    FUZZ_CHECK(!e || (why && why->text[0]), "an error without a text");
    (void)!dfopt_declog_close(&w, e == DFOPT_OK, &err);
    free(bytes);
    dfopt_buf_free(&block);
    dfopt_dict_destroy(dict);
    return 0;
}
