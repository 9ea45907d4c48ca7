/* Findings and objectives, bare and in envelopes: the fast decoder and json-c's
 * must agree in the verdict, the error's text, every bit of the finding, and the
 * new strings. Without simdjson in the build, json-c's alone. */
#include "codec/record.h"
#include "fuzz.h"

struct side {
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    struct dfopt_event event;
    struct dfopt_error err;
};

#define LIFE 1024 /* inputs */

static void start(struct side *s)
{
    *s = (struct side){.err = {.text = ""}};
    FUZZ_CHECK(dfopt_dict_create(&s->dict, false) == DFOPT_OK &&
                   dfopt_codec_create(&s->codec, s->dict, NULL) == DFOPT_OK,
               "out of memory");
}

static void end(struct side *s)
{
    dfopt_event_clear(&s->event);
    dfopt_codec_destroy(s->codec);
    dfopt_dict_destroy(s->dict);
}

static uint32_t n_strings, n_lists; /* that were compared for earlier inputs */

static void compare_dicts(const struct dfopt_dict *a, const struct dfopt_dict *b)
{
    FUZZ_CHECK(dfopt_dict_strings(a) == dfopt_dict_strings(b), "strings");
    FUZZ_CHECK(dfopt_dict_lists(a) == dfopt_dict_lists(b), "lists");
    for (; n_strings < dfopt_dict_strings(a); n_strings++) {
        const dfopt_sym s = n_strings;
        size_t na, nb;
        const char *ta = dfopt_dict_text(a, s, &na),
                   *tb = dfopt_dict_text(b, s, &nb);
        FUZZ_CHECK(na == nb && memcmp(ta, tb, na) == 0, "string %u", s);
    }
    for (; n_lists < dfopt_dict_lists(a); n_lists++) {
        const dfopt_list l = n_lists;
        size_t na, nb;
        const dfopt_sym *ia = dfopt_dict_items(a, l, &na);
        const dfopt_sym *ib = dfopt_dict_items(b, l, &nb);
        FUZZ_CHECK(na == nb && (na == 0 || memcmp(ia, ib, na * sizeof *ia) == 0),
                   "list %u", l);
    }
}

static void compare(struct side *fast, struct side *slow, int stream,
                    const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    fast->err = slow->err = (struct dfopt_error){.text = ""};
    memset(&slow->event, 0, sizeof slow->event);
    enum dfopt_err a = dfopt_codec_decode(fast->codec, stream, text, size,
                                          &fast->event, &fast->err);
    enum dfopt_err b = dfopt_record_decode(slow->codec, stream, text, size,
                                           &slow->event, &slow->err);
    FUZZ_CHECK(a == b, "%s | %s", fast->err.text, slow->err.text);
    FUZZ_CHECK(strcmp(fast->err.text, slow->err.text) == 0, "%s | %s",
               fast->err.text, slow->err.text);
    FUZZ_CHECK(fast->event.stream == slow->event.stream &&
                   fast->event.enveloped == slow->event.enveloped,
               "streams");
    FUZZ_CHECK(a || fast->event.stream != DFOPT_STREAM_FINDING ||
                   memcmp(&fast->event.finding, &slow->event.finding,
                          sizeof fast->event.finding) == 0,
               "findings");
    FUZZ_CHECK(a || fast->event.stream != DFOPT_STREAM_OBJECTIVE ||
                   memcmp(&fast->event.objective, &slow->event.objective,
                          sizeof fast->event.objective) == 0,
               "another objective");
    compare_dicts(fast->dict, slow->dict);
    dfopt_event_clear(&fast->event);
    dfopt_event_clear(&slow->event);
}

/* Both sides live for many inputs: making them takes longer than decoding. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct side fast, slow;
    static unsigned inputs;
    if (inputs++ % LIFE == 0) {
        end(&fast);
        end(&slow);
        start(&fast);
        start(&slow);
        n_strings = n_lists = 0;
    }
    uint8_t *copy = fuzz_copy(data, size);
    compare(&fast, &slow, -1, copy, size);
    compare(&fast, &slow, DFOPT_STREAM_FINDING, copy, size);
    compare(&fast, &slow, DFOPT_STREAM_OBJECTIVE, copy, size);
    free(copy);
    return 0;
}
