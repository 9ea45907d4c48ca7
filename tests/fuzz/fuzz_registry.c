/* Registry files. Each registration's text, a line of `bodies`, must decode alone.
 */
#include "codec/codec.h"
#include "fuzz.h"

static void check(struct dfopt_codec *c, const struct dfopt_buf *bodies, size_t n)
{
    const char *at = bodies->data, *end = at ? at + bodies->len : at;
    size_t lines = 0;
    for (; at < end; lines++) {
        struct dfopt_event x;
        struct dfopt_error err = {.text = ""};
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        FUZZ_CHECK(newline, "a line without its end");
        FUZZ_CHECK(!dfopt_codec_decode(c, DFOPT_STREAM_REGISTRATION, at,
                                       (size_t)(newline - at), &x, &err),
                   "%s: %.*s", err.text, (int)(newline - at), at);
        dfopt_event_clear(&x);
        at = newline + 1;
    }
    FUZZ_CHECK(lines == n, "%zu lines of %zu", lines, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dfopt_dict *dict = NULL;
    struct dfopt_codec *c = NULL;
    struct dfopt_registration *found = NULL;
    struct dfopt_buf bodies = {0};
    struct dfopt_error err = {.text = ""};
    size_t n = 0;
    FUZZ_CHECK(!dfopt_dict_create(&dict, false) &&
                   !dfopt_codec_create(&c, dict, NULL),
               "out of memory");
    if (dfopt_codec_registry(c, (const char *)data, size, &found, &n, &bodies,
                             &err))
        FUZZ_CHECK(err.text[0] && !found, "an error without a text");
    else
        check(c, &bodies, n);
    for (size_t i = 0; i < n; i++)
        dfopt_registration_clear(&found[i]);
    free(found);
    dfopt_buf_free(&bodies);
    dfopt_codec_destroy(c);
    dfopt_dict_destroy(dict);
    return 0;
}
