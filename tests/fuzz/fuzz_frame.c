/* Frames between ranks. The first byte says how: 0, all of the frame is the
 * input's; else its header is right and the items behind it are the input's, so
 * that what reads them is reached: the checksum would stop nearly all of them. */
#include "engine/comm/frame.h"
#include "fuzz.h"

#define SMALL 0xffff /* numbers of strings: a table up to the number is made */

struct receiver {
    struct dfopt_dict *replica, *authority;
    struct dfopt_frame_translation translation;
    struct dfopt_decisions decisions;
    struct dfopt_buf state_rows, suppression_states, commanded;
};

/* What names a string or list may name any number below 2^26, and the tables are as
 * long as the largest: bounded, but slow to make for each input. */
static void keep_small(const struct dfopt_item *item)
{
    uint32_t number;
    if (item->size < sizeof number)
        return;
    memcpy(&number, item->data, sizeof number);
    if ((number & 0x7fffffffu) < (uint32_t)1 << 26)
        number &= 0x80000000u | SMALL;
    memcpy((void *)(uintptr_t)item->data, &number, sizeof number);
}

static void take(struct receiver *r, const struct dfopt_item *item)
{
    const struct dfopt_finding_row *finding;
    struct dfopt_registration registration;
    struct dfopt_policy policy;
    struct dfopt_frame_config config;
    struct dfopt_global_plan plan;
    struct dfopt_ack ack;
    uint64_t seq;
    switch (item->kind) {
    case DFOPT_ITEM_STRING:
    case DFOPT_ITEM_LIST:
        keep_small(item);
        (void)dfopt_item_define(r->replica, item);
        break;
    case DFOPT_ITEM_FINDING:
        if (!dfopt_item_finding(item, &finding))
            FUZZ_CHECK((uintptr_t)finding % 8 == 0, "not aligned");
        break;
    case DFOPT_ITEM_ACK:
        (void)dfopt_item_ack(item, &seq, &ack);
        break;
    case DFOPT_ITEM_GLOBAL_PLAN:
        (void)dfopt_item_global_plan(item, &seq, &plan);
        break;
    case DFOPT_ITEM_REGISTRATION:
        if (!dfopt_item_registration(item, &seq, &registration))
            dfopt_registration_clear(&registration);
        break;
    case DFOPT_ITEM_CONFIG:
        if (!dfopt_item_config(item, &policy, &config))
            dfopt_policy_clear(&policy);
        break;
    default:
        break;
    }
    (void)dfopt_item_rows(item, r->authority, &r->translation, &r->decisions,
                          &r->state_rows, &r->suppression_states, &r->commanded);
}

static void receive(void *bytes, size_t n)
{
    struct receiver r = {.translation = {0}};
    struct dfopt_frame_reader reader;
    struct dfopt_item item;
    struct dfopt_error err = {.text = ""};
    FUZZ_CHECK(!dfopt_dict_create(&r.replica, true) &&
                   !dfopt_dict_create(&r.authority, false),
               "out of memory");
    enum dfopt_err e = dfopt_frame_open(&reader, bytes, n, &err);
    FUZZ_CHECK(!e || err.text[0], "an error without a text");
    if (!e)
        while (dfopt_frame_next(&reader, &item, &e))
            take(&r, &item);
    dfopt_frame_translation_free(&r.translation);
    dfopt_decisions_free(&r.decisions);
    dfopt_buf_free(&r.state_rows);
    dfopt_buf_free(&r.suppression_states);
    dfopt_buf_free(&r.commanded);
    dfopt_dict_destroy(r.replica);
    dfopt_dict_destroy(r.authority);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct dfopt_buf out = {0};
    struct dfopt_frame f;
    const uint64_t whole = fuzz_number(&in, 1);
    if (whole == 0) {
        void *bytes = fuzz_copy(in.at, in.left);
        receive(bytes, in.left);
        free(bytes);
        return 0;
    }
    FUZZ_CHECK(!dfopt_frame_begin(&f, &out, NULL, NULL), "out of memory");
    f.n_items = (uint32_t)fuzz_number(&in, 1);
    FUZZ_CHECK(!dfopt_buf_add(&out, in.at, in.left), "out of memory");
    dfopt_frame_end(&f, (enum dfopt_frame_kind)whole, 1);
    void *bytes = fuzz_copy(out.data, out.len);
    receive(bytes, out.len);
    free(bytes);
    dfopt_buf_free(&out);
    return 0;
}
