/* The metadata frame: the transport's scan against the parsed tree. Escapes hide a
 * sentinel from the scan only. */
#include "fuzz.h"
#include "json/json.h"
#include "transport/zmq/metadata.h"

#define DEPTH 33

static bool member_is(struct json_object *object, const char *key, const char *want)
{
    return dfopt_text_is(dfopt_json_text(dfopt_json_get(object, key)), want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dfopt_json_parser *parser = NULL;
    struct json_object *tree = NULL;
    char *copy = fuzz_copy(data, size);
    if (dfopt_json_parser_create(&parser, size + 1, DEPTH))
        abort();
    struct dfopt_zmq_members has;
    const enum dfopt_zmq_metadata got = dfopt_zmq_metadata_scan(copy, size, &has);
    const bool object = !dfopt_json_parse(parser, copy, size, &tree, NULL) &&
                        dfopt_json_kind(tree) == DFOPT_JSON_OBJECT;
    FUZZ_CHECK(object == (got != DFOPT_ZMQ_METADATA_BAD), "judged %d: %.*s",
               (int)got, (int)size, copy);
    const bool stop = object && (member_is(tree, "name", "end") ||
                                 member_is(tree, "type", "stop"));
    FUZZ_CHECK(stop == (got == DFOPT_ZMQ_METADATA_STOP) || memchr(copy, '\\', size),
               "judged %d: %.*s", (int)got, (int)size, copy);
    const struct dfopt_text want =
        object ? dfopt_json_text(dfopt_json_get(tree, "type")) : dfopt_text_z("");
    if (object && !memchr(copy, '\\', size))
        FUZZ_CHECK(
            has.type.len == want.len &&
                (want.len == 0 || memcmp(has.type.at, want.at, want.len) == 0),
            "type %.*s: %.*s", (int)has.type.len, has.type.at, (int)size, copy);
    const bool asks = object && dfopt_json_kind(dfopt_json_get(tree, "answer")) ==
                                    DFOPT_JSON_OBJECT;
    if (object && !memchr(copy, '\\', size))
        FUZZ_CHECK(asks == (has.answer.len > 0), "answer %.*s: %.*s",
                   (int)has.answer.len, has.answer.at, (int)size, copy);
    json_object_put(tree);
    dfopt_json_parser_destroy(parser);
    free(copy);
    return 0;
}
