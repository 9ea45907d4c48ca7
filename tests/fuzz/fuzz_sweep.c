/* Sweep files. Each variant must be one that a policy file can hold. */
#include "codec/codec.h"
#include "policy/policy_json.h"
#include "policy/sweep_json.h"
#include "fuzz.h"

#define LOOKED_AT 64 /* variants of a file; there may be 100,000 */

static void check(struct dfopt_dict *dict, const struct dfopt_sweep_variants *v)
{
    FUZZ_CHECK(v->n > 0 && v->n <= DFOPT_SWEEP_VARIANTS_MAX, "%zu variants", v->n);
    for (size_t i = 0; i < v->n && i < LOOKED_AT; i++) {
        struct dfopt_buf text = {0};
        struct dfopt_policy again;
        struct dfopt_error err = {.text = ""};
        dfopt_policy_preset(&again, DFOPT_PRESET_DEFAULT);
        FUZZ_CHECK(!dfopt_policy_json(dict, &v->policies[i], &text) &&
                       !dfopt_policy_read(dict, text.data, text.len, &again, &err),
                   "variant %zu: %s", i, err.text);
        for (size_t p = 0; p < v->n_parameters; p++)
            FUZZ_CHECK(strlen(dfopt_sweep_setting_text(v, i, p)) < v->texts.len,
                       "setting %zu of variant %zu", p, i);
        dfopt_policy_clear(&again);
        dfopt_buf_free(&text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dfopt_dict *dict = NULL;
    struct dfopt_policy base;
    struct dfopt_sweep_variants v = {0};
    struct dfopt_error err = {.text = ""};
    FUZZ_CHECK(!dfopt_dict_create(&dict, false), "out of memory");
    dfopt_policy_preset(&base, DFOPT_PRESET_DEFAULT);
    if (dfopt_sweep_read(dict, (const char *)data, size, &base, &v, &err)) {
        FUZZ_CHECK(err.text[0], "an error without a text");
    } else {
        check(dict, &v);
        dfopt_sweep_variants_free(&v);
    }
    dfopt_policy_clear(&base);
    dfopt_dict_destroy(dict);
    return 0;
}
