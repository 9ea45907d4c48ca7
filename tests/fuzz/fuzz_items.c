/* Items that a rank takes from another into its planner: events, and the state of a
 * run that is resumed. Each is a kind (1), a size (2) and so many bytes, in
 * which the number of an event is ours, for events come in order, and those of
 * names are small: the planner's tables are as long as the largest. */
#include "codec/codec.h"
#include "engine/comm/frame.h"
#include "fuzz.h"
#include "engine/replay/slice.h"

#include <stddef.h>

#define NAMES     24 /* strings that the other rank has defined, and lists */
#define SMALL     63 /* some of the numbers below it are those of names */
#define ITEMS_MAX 64

/* Where the rows of an item have numbers of names. */
#define AT(type, member) offsetof(struct type, member)
static const struct {
    uint32_t kind;
    size_t first, row; /* bytes */
    size_t n, at[11];
} names[] = {
    {DFOPT_ITEM_FINDING,
     0,
     sizeof(struct dfopt_finding_row),
     7,
     {AT(dfopt_finding_row, f.type), AT(dfopt_finding_row, f.scope),
      AT(dfopt_finding_row, f.node), AT(dfopt_finding_row, f.motif),
      AT(dfopt_finding_row, f.trend_text), AT(dfopt_finding_row, f.tags),
      AT(dfopt_finding_row, f.suppresses)}},
    {DFOPT_ITEM_ACK,
     8,
     sizeof(struct dfopt_ack),
     4,
     {AT(dfopt_ack, knob), AT(dfopt_ack, node), AT(dfopt_ack, old_value.str),
      AT(dfopt_ack, new_value.str)}},
    {DFOPT_ITEM_GLOBAL_PLAN,
     8,
     sizeof(struct dfopt_global_plan),
     9,
     {AT(dfopt_global_plan, plan_id), AT(dfopt_global_plan, knob),
      AT(dfopt_global_plan, target_function), AT(dfopt_global_plan, apply_when),
      AT(dfopt_global_plan, rationale), AT(dfopt_global_plan, finding_type),
      AT(dfopt_global_plan, tag), AT(dfopt_global_plan, target_nodes),
      AT(dfopt_global_plan, new_value.str)}},
    {DFOPT_ITEM_STATE_ROWS,
     0,
     sizeof(struct dfopt_state_row),
     5,
     {AT(dfopt_state_row, knob), AT(dfopt_state_row, node),
      AT(dfopt_state_row, ordinal), AT(dfopt_state_row, value.str),
      AT(dfopt_state_row, plan_old.str)}},
    {DFOPT_ITEM_SUPPRESSION_STATES,
     0,
     sizeof(struct dfopt_suppression_state),
     2,
     {AT(dfopt_suppression_state, tag), AT(dfopt_suppression_state, finding_type)}},
};

struct rank {
    struct dfopt_dict *dict;
    struct dfopt_policy policy;
    struct dfopt_shard shard;
    struct dfopt_decisions out;
};

static void start(struct rank *r)
{
    static const char knobs[] =
        "{\"namespace\":\"app\",\"function_name\":\"run\",\"knobs\":{\"app.a\":{"
        "\"id\":"
        "\"app.a\",\"default\":2,\"type\":\"int\",\"range\":[1,64],\"responds_to\":"
        "{"
        "\"more\":{\"direction\":\"increase\",\"step\":1}}}}}";
    struct dfopt_codec *codec = NULL;
    struct dfopt_event event;
    struct dfopt_error err = {.text = ""};
    FUZZ_CHECK(!dfopt_dict_create(&r->dict, false) &&
                   !dfopt_codec_create(&codec, r->dict, NULL) &&
                   !dfopt_codec_decode(codec, DFOPT_STREAM_REGISTRATION, knobs,
                                       sizeof knobs - 1, &event, &err),
               "%s", err.text);
    for (unsigned i = 0; i < NAMES; i++) {
        char text[16];
        snprintf(text, sizeof text, "name%u", i);
        const dfopt_sym s = dfopt_dict_intern_z(r->dict, text);
        FUZZ_CHECK(dfopt_dict_intern_list(r->dict, &s, 1) != DFOPT_LIST_NONE,
                   "out of memory");
    }
    dfopt_policy_preset(&r->policy, DFOPT_PRESET_DEFAULT);
    FUZZ_CHECK(!dfopt_shard_start(&r->shard, r->dict, &r->policy, false,
                                  DFOPT_SYM_EMPTY, 0, 2) &&
                   !dfopt_planner_preset(r->shard.planner, &event.registration),
               "out of memory");
    dfopt_event_clear(&event);
    dfopt_codec_destroy(codec);
}

static void keep_small(uint32_t kind, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t row = names[i].first;
             names[i].kind == kind && row + names[i].row <= size;
             row += names[i].row)
            for (size_t k = 0; k < names[i].n; k++) {
                uint32_t number;
                memcpy(&number, bytes + row + names[i].at[k], sizeof number);
                number &= SMALL;
                memcpy(bytes + row + names[i].at[k], &number, sizeof number);
            }
}

static bool is_event(uint32_t kind)
{
    return kind >= DFOPT_ITEM_FINDING && kind <= DFOPT_ITEM_REGISTRATION;
}

static void take(struct rank *r, struct fuzz_input *in, uint64_t seq)
{
    struct dfopt_item item = {.kind = (uint32_t)fuzz_number(in, 1)};
    const uint64_t want = fuzz_number(in, 2);
    const uint8_t *bytes = fuzz_bytes(in, (size_t)want, &item.size);
    uint8_t *copy = fuzz_copy(bytes, item.size);
    if (is_event(item.kind) && item.size >= sizeof seq)
        memcpy(copy, &seq, sizeof seq);
    keep_small(item.kind, copy, item.size);
    item.data = copy;
    (void)dfopt_shard_item(&r->shard, &item, &r->out);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct rank r = {.dict = NULL};
    struct dfopt_buf rows = {0}, suppressions = {0};
    start(&r);
    for (uint64_t seq = 1; seq < ITEMS_MAX && in.left > 0; seq++)
        take(&r, &in, seq);
    FUZZ_CHECK(!dfopt_shard_state(&r.shard, &rows, &suppressions), "out of memory");
    dfopt_buf_free(&rows);
    dfopt_buf_free(&suppressions);
    dfopt_decisions_free(&r.out);
    dfopt_shard_end(&r.shard);
    dfopt_policy_clear(&r.policy);
    dfopt_dict_destroy(r.dict);
    return 0;
}
