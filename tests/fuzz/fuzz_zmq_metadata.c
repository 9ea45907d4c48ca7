/* The metadata frame: the transport's scanner against the codec's grammar. The
 * scanner leaves open what the grammar refuses as no UTF-8, or as too long. */
#include "json/grammar.h"
#include "fuzz.h"
#include "transport/zmq/metadata.h"

#define DEPTH      32  /* of the scanner, which counts a level less */
#define MUCH_DEPTH 500 /* more than it accepts */

static bool is_ascii(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dfopt_buf edits = {0};
    size_t at = 0;
    char *copy = fuzz_copy(data, size);
    enum dfopt_zmq_metadata got = dfopt_zmq_metadata_scan(copy, size);
    enum dfopt_err e = dfopt_json_check(copy, size, DEPTH, &edits, NULL);
    while (at < size && copy[at] && strchr(" \t\r\n", copy[at]))
        at++;
    const bool object = at < size && copy[at] == '{';
    FUZZ_CHECK(e || !object || got != DFOPT_ZMQ_METADATA_BAD, "refused: %.*s",
               (int)size, copy);
    FUZZ_CHECK(object || got == DFOPT_ZMQ_METADATA_BAD, "taken: %.*s", (int)size,
               copy);
    dfopt_buf_clear(&edits);
    e = dfopt_json_check(copy, size, MUCH_DEPTH, &edits, NULL);
    FUZZ_CHECK(e != DFOPT_ERR_PARSE || got == DFOPT_ZMQ_METADATA_BAD ||
                   !is_ascii(copy, size),
               "taken: %.*s", (int)size, copy);
    dfopt_buf_free(&edits);
    free(copy);
    return 0;
}
