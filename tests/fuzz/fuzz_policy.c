/* Policy files. What is accepted is written as a policy file again, which must be
 * accepted and written to the same text. */
#include "codec/codec.h"
#include "policy/policy_json.h"
#include "fuzz.h"

static void check(struct dfopt_dict *dict, const struct dfopt_policy *p)
{
    struct dfopt_buf first = {0}, second = {0};
    struct dfopt_policy again;
    struct dfopt_error err = {.text = ""};
    FUZZ_CHECK(!dfopt_policy_json(dict, p, &first), "cannot be written");
    dfopt_policy_preset(&again, DFOPT_PRESET_UPSTREAM);
    FUZZ_CHECK(!dfopt_policy_read(dict, first.data, first.len, &again, &err),
               "%s: %.*s", err.text, (int)first.len, first.data);
    FUZZ_CHECK(!dfopt_policy_json(dict, &again, &second), "cannot be written");
    FUZZ_CHECK(
        first.len == second.len && memcmp(first.data, second.data, first.len) == 0,
        "%.*s | %.*s", (int)first.len, first.data, (int)second.len, second.data);
    dfopt_policy_clear(&again);
    dfopt_buf_free(&first);
    dfopt_buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dfopt_dict *dict = NULL;
    struct dfopt_policy p;
    struct dfopt_error err = {.text = ""};
    FUZZ_CHECK(!dfopt_dict_create(&dict, false), "out of memory");
    dfopt_policy_preset(&p, DFOPT_PRESET_DEFAULT);
    if (dfopt_policy_read(dict, (const char *)data, size, &p, &err))
        FUZZ_CHECK(err.text[0], "an error without a text");
    else
        check(dict, &p);
    dfopt_policy_clear(&p);
    dfopt_dict_destroy(dict);
    return 0;
}
