/* The fast decoder and json-c's, side by side. */
#ifndef DFOPT_TESTS_FAST_SIDES_H
#define DFOPT_TESTS_FAST_SIDES_H

#include "codec/record.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

struct side {
    struct dfopt_dict *dict;
    struct dfopt_codec *codec;
    struct dfopt_event event;
    struct dfopt_error err;
};

static struct side fast, slow;
static uint32_t n_strings, n_lists; /* compared so far */

/* ---- comparing ---- */

/* Those that a policy names, one of them longer than the padding of a record. */
static void name_metrics(struct side *s)
{
    static const char *const names[DFOPT_METRIC_NAMED] = {
        "active_time", "x",
        "a_metric_with_a_name_that_is_longer_than_what_may_be_read_behind_a_record",
        "fetch_frac2"};
    struct dfopt_metric_names metrics;
    for (size_t i = 0; i < DFOPT_METRIC_NAMED; i++)
        metrics.name[i] = dfopt_dict_intern_z(s->dict, names[i]);
    dfopt_codec_metrics(s->codec, &metrics);
}

static int start(bool replica, const struct dfopt_codec_limits *limits)
{
    fast = slow = (struct side){0};
    n_strings = n_lists = 0;
    if (dfopt_dict_create(&fast.dict, replica) ||
        dfopt_dict_create(&slow.dict, replica) ||
        dfopt_codec_create(&fast.codec, fast.dict, limits) ||
        dfopt_codec_create(&slow.codec, slow.dict, limits))
        return 1;
    name_metrics(&fast);
    name_metrics(&slow);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return start(false, NULL);
}

static int teardown(void **state)
{
    (void)state;
    dfopt_codec_destroy(fast.codec);
    dfopt_codec_destroy(slow.codec);
    dfopt_dict_destroy(fast.dict);
    dfopt_dict_destroy(slow.dict);
    return 0;
}

/* What is new in the dictionaries since the last call. */
static bool same_dicts(void)
{
    uint32_t strings = dfopt_dict_strings(slow.dict);
    uint32_t lists = dfopt_dict_lists(slow.dict);
    if (dfopt_dict_strings(fast.dict) != strings ||
        dfopt_dict_lists(fast.dict) != lists)
        return false;
    for (; n_strings < strings; n_strings++) {
        size_t a_len, b_len;
        const char *a = dfopt_dict_text(fast.dict, n_strings, &a_len);
        const char *b = dfopt_dict_text(slow.dict, n_strings, &b_len);
        if (a_len != b_len || memcmp(a, b, a_len) != 0)
            return false;
    }
    for (; n_lists < lists; n_lists++) {
        size_t a_n, b_n;
        const dfopt_sym *a = dfopt_dict_items(fast.dict, n_lists, &a_n);
        const dfopt_sym *b = dfopt_dict_items(slow.dict, n_lists, &b_n);
        if (a_n != b_n || (a_n && memcmp(a, b, a_n * sizeof *a) != 0))
            return false;
    }
    return true;
}

static const char *difference(enum dfopt_err a, enum dfopt_err b)
{
    if (a != b)
        return "verdicts";
    if (strcmp(fast.err.text, slow.err.text) != 0)
        return "error texts";
    if (fast.event.stream != slow.event.stream)
        return "streams";
    if (fast.event.enveloped != slow.event.enveloped)
        return "envelopes";
    if (!a && fast.event.stream == DFOPT_STREAM_FINDING &&
        memcmp(&fast.event.finding, &slow.event.finding,
               sizeof fast.event.finding) != 0)
        return "findings";
    if (!a && fast.event.stream == DFOPT_STREAM_OBJECTIVE &&
        memcmp(&fast.event.objective, &slow.event.objective,
               sizeof fast.event.objective) != 0)
        return "objectives";
    return same_dicts() ? NULL : "dictionaries";
}

/* Decodes a copy of exact size, so that the sanitizer sees each byte read too
 * far. Returns the verdict of both. */
static enum dfopt_err compare(int stream, const char *text, size_t len)
{
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    if (len)
        memcpy(copy, text, len);
    fast.err = slow.err = (struct dfopt_error){0};
    memset(&slow.event, 0, sizeof slow.event);
    enum dfopt_err a =
        dfopt_codec_decode(fast.codec, stream, copy, len, &fast.event, &fast.err);
    enum dfopt_err b =
        dfopt_record_decode(slow.codec, stream, copy, len, &slow.event, &slow.err);
    free(copy);
    const char *differ = difference(a, b);
    if (differ)
        fail_msg("%s differ (%d %s; %d %s), stream %d: %.*s", differ, a,
                 fast.err.text, b, slow.err.text, stream, (int)len, text);
    dfopt_event_clear(&fast.event);
    dfopt_event_clear(&slow.event);
    return b;
}

static void compare_both(const char *text, size_t len)
{
    compare(-1, text, len);
    compare(DFOPT_STREAM_FINDING, text, len);
}

/* Whether the fast decoder takes a record by itself. */
static bool taken(const char *text, size_t len)
{
    struct dfopt_finding f;
    bool enveloped;
    return dfopt_finding_fast_decode(fast.codec->fast, text, len, true, &f,
                                     &enveloped);
}

#endif
