/* Plans as applications read them, in the library that lives in their process. The
 * input is metadata and body, with a newline between them. */
#include "client/impl.h"
#include "json/json.h"
#include "fuzz.h"

static bool ends(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static void check(const struct client_incoming *p)
{
    FUZZ_CHECK(ends(p->knob_id, sizeof p->knob_id) &&
                   ends(p->function, sizeof p->function),
               "a text without an end");
    FUZZ_CHECK(p->plan.new_value.kind >= DFOPT_CLIENT_NULL &&
                   p->plan.new_value.kind <= DFOPT_CLIENT_BOOL,
               "a value of kind %d", (int)p->plan.new_value.kind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dfopt_json_parser *parser;
    static dfopt_client *client;
    struct dfopt_client_options options = {.app_namespace = "app"};
    struct dfopt_error err = {.text = ""};
    struct client_incoming plan;
    if (!client)
        FUZZ_CHECK(!dfopt_client_create(&client, &options, &err) &&
                       !dfopt_client_parser_create(client, &parser, &err),
                   "%s", err.text);
    const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
    const size_t meta = newline ? (size_t)(newline - data) : 0;
    const size_t skip = newline ? meta + 1 : 0;
    char *body = fuzz_copy(data + skip, size - skip);
    char *metadata = fuzz_copy(data, meta);
    const struct dfopt_client_message m = {
        .meta = metadata, .meta_len = meta, .body = body, .body_len = size - skip};
    if (dfopt_client_plan_decode(parser, &m, "node1", &plan, &err))
        FUZZ_CHECK(err.text[0], "an error without a text");
    else
        check(&plan);
    free(metadata);
    free(body);
    return 0;
}
