/* Numbers in the middle of a computation, as text. */
#ifndef DFOPT_TESTS_NUMBER_FIXTURE_H
#define DFOPT_TESTS_NUMBER_FIXTURE_H

#include "planner_fixture.h"

#include "planner/step/number.h"

/* As pf_value_text, for whole numbers of any size. */
static inline void put_number(const struct dfopt_dict *dict, struct dfopt_number n,
                              struct dfopt_buf *out)
{
    struct dfopt_value v;
    char digits[48];
    if (dfopt_number_value(n, &v)) {
        pf_value_text(dict, v, out);
        return;
    }
    size_t at = sizeof digits;
    unsigned __int128 u =
        n.i < 0 ? -(unsigned __int128)n.i : (unsigned __int128)n.i;
    digits[--at] = '\0';
    for (; u; u /= 10)
        digits[--at] = (char)('0' + (int)(u % 10));
    if (n.i < 0)
        digits[--at] = '-';
    pf_put(out, digits + at);
}

/* Where there is no result, *out must be as it was: the text 'untouched'. */
static inline void check(struct dfopt_dict *dict, const char *name, bool ok,
                         struct dfopt_number n, const char *want)
{
    struct dfopt_buf text = {0};
    put_number(dict, n, &text);
    if (ok != (want != NULL))
        fail_msg("%s: %s", name, ok ? "gave a result" : "gave none");
    pf_check(name, &text, want ? want : "'untouched'");
    dfopt_buf_free(&text);
}

static inline struct dfopt_number untouched(struct dfopt_dict *dict)
{
    return dfopt_number_from(
        dfopt_value_str(dfopt_dict_intern_z(dict, "untouched")));
}

#endif
