/* One stream of what applications and global optimizers send; FUZZ_STREAM is which.
 * What is accepted must survive the way to another rank, and a registration's body,
 * which the decision log keeps, must decode again to the same. */
#include "codec/codec.h"
#include "engine/comm/frame.h"
#include "fuzz.h"
#include "json/write.h"

#define LIFE 1024 /* inputs */

static void check_value(const struct dfopt_dict *dict, struct dfopt_value v)
{
    struct dfopt_buf out = {0};
    FUZZ_CHECK(dfopt_json_write_value(dict, v, &out) == DFOPT_OK && out.len > 0,
               "a value that cannot be written");
    dfopt_buf_free(&out);
}

static bool same_values(const struct dfopt_value *a, const struct dfopt_value *b,
                        size_t n)
{
    return n == 0 || memcmp(a, b, n * sizeof *a) == 0;
}

static void compare_registrations(const struct dfopt_registration *a,
                                  const struct dfopt_registration *b)
{
    FUZZ_CHECK(a->name_space == b->name_space && a->function == b->function &&
                   a->node == b->node && a->instance == b->instance &&
                   a->unregister == b->unregister && a->flaw == b->flaw &&
                   a->n_knobs == b->n_knobs,
               "registrations");
    for (size_t i = 0; i < a->n_knobs; i++) {
        const struct dfopt_knob *k = &a->knobs[i], *l = &b->knobs[i];
        FUZZ_CHECK(k->id == l->id && k->type == l->type &&
                       k->parameter == l->parameter && k->n_values == l->n_values &&
                       k->n_responses == l->n_responses,
                   "knob %zu", i);
        FUZZ_CHECK(same_values(&k->default_value, &l->default_value, 1) &&
                       same_values(&k->current, &l->current, 1) &&
                       same_values(k->values, l->values, k->n_values),
                   "values of knob %zu", i);
        FUZZ_CHECK(k->n_responses == 0 ||
                       memcmp(k->responses, l->responses,
                              k->n_responses * sizeof *k->responses) == 0,
                   "responses of knob %zu", i);
    }
}

/* The event's item out of a frame that was read. */
static struct dfopt_item find_item(const struct dfopt_buf *frame,
                                   enum dfopt_item_kind kind)
{
    struct dfopt_frame_reader r;
    struct dfopt_item item = {0};
    enum dfopt_err e = dfopt_frame_open(&r, frame->data, frame->len, NULL);
    FUZZ_CHECK(!e, "the frame cannot be read");
    while (dfopt_frame_next(&r, &item, &e) && item.kind != (uint32_t)kind)
        ;
    FUZZ_CHECK(!e && item.kind == (uint32_t)kind, "no such item");
    return item;
}

static void send_registration(struct dfopt_frame *f, const struct dfopt_event *x)
{
    uint64_t seq = 0;
    struct dfopt_registration got;
    FUZZ_CHECK(!dfopt_frame_registration(f, 7, &x->registration), "frame");
    dfopt_frame_end(f, DFOPT_FRAME_EVENTS, 1);
    struct dfopt_item item = find_item(f->out, DFOPT_ITEM_REGISTRATION);
    FUZZ_CHECK(!dfopt_item_registration(&item, &seq, &got) && seq == 7, "item");
    compare_registrations(&x->registration, &got);
    dfopt_registration_clear(&got);
}

static void send_ack(struct dfopt_frame *f, const struct dfopt_event *x)
{
    uint64_t seq = 0;
    struct dfopt_ack got;
    FUZZ_CHECK(!dfopt_frame_ack(f, 7, &x->ack), "frame");
    dfopt_frame_end(f, DFOPT_FRAME_EVENTS, 1);
    struct dfopt_item item = find_item(f->out, DFOPT_ITEM_ACK);
    FUZZ_CHECK(!dfopt_item_ack(&item, &seq, &got) && seq == 7, "item");
    FUZZ_CHECK(memcmp(&got, &x->ack, sizeof got) == 0, "acks");
}

static void send_global_plan(struct dfopt_frame *f, const struct dfopt_event *x)
{
    uint64_t seq = 0;
    struct dfopt_global_plan got;
    FUZZ_CHECK(!dfopt_frame_global_plan(f, 7, &x->global_plan), "frame");
    dfopt_frame_end(f, DFOPT_FRAME_EVENTS, 1);
    struct dfopt_item item = find_item(f->out, DFOPT_ITEM_GLOBAL_PLAN);
    FUZZ_CHECK(!dfopt_item_global_plan(&item, &seq, &got) && seq == 7, "item");
    FUZZ_CHECK(memcmp(&got, &x->global_plan, sizeof got) == 0, "global plans");
}

static void send_objective(struct dfopt_frame *f, const struct dfopt_event *x)
{
    struct dfopt_objective got;
    uint64_t seq;
    FUZZ_CHECK(!dfopt_frame_objective(f, 7, &x->objective), "frame");
    dfopt_frame_end(f, DFOPT_FRAME_EVENTS, 1);
    struct dfopt_item item = find_item(f->out, DFOPT_ITEM_OBJECTIVE);
    FUZZ_CHECK(!dfopt_item_objective(&item, &seq, &got) && seq == 7, "item");
    FUZZ_CHECK(memcmp(&got, &x->objective, sizeof got) == 0, "objectives");
}

static void send(const struct dfopt_dict *dict, const struct dfopt_event *x)
{
    struct dfopt_buf out = {0};
    struct dfopt_frame_known peer = {.strings = {0}};
    struct dfopt_frame f;
    FUZZ_CHECK(!dfopt_frame_begin(&f, &out, dict, &peer), "frame");
    if (x->stream == DFOPT_STREAM_REGISTRATION)
        send_registration(&f, x);
    else if (x->stream == DFOPT_STREAM_ACK)
        send_ack(&f, x);
    else if (x->stream == DFOPT_STREAM_OBJECTIVE)
        send_objective(&f, x);
    else
        send_global_plan(&f, x);
    dfopt_frame_known_free(&peer);
    dfopt_buf_free(&out);
}

static void check_registration(struct dfopt_codec *c, struct dfopt_event *x)
{
    struct dfopt_event again;
    struct dfopt_error err = {.text = ""};
    char *body = fuzz_copy(x->body, x->body_len);
    const size_t len = x->body_len;
    FUZZ_CHECK(!memchr(body, '\n', len), "a body of more than one line");
    FUZZ_CHECK(
        !dfopt_codec_decode(c, DFOPT_STREAM_REGISTRATION, body, len, &again, &err),
        "%s: %.*s", err.text, (int)len, body);
    compare_registrations(&x->registration, &again.registration);
    FUZZ_CHECK(again.body_len == len && memcmp(again.body, body, len) == 0,
               "bodies");
    dfopt_event_clear(&again);
    free(body);
}

static void check(struct dfopt_codec *c, const struct dfopt_dict *dict,
                  struct dfopt_event *x)
{
    if (x->stream == DFOPT_STREAM_ACK) {
        check_value(dict, x->ack.old_value);
        check_value(dict, x->ack.new_value);
    } else if (x->stream == DFOPT_STREAM_GLOBAL_PLAN) {
        check_value(dict, x->global_plan.new_value);
    }
    send(dict, x);
    if (x->stream == DFOPT_STREAM_REGISTRATION)
        check_registration(c, x);
}

/* The codec lives for many inputs: making it takes longer than decoding. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dfopt_dict *dict;
    static struct dfopt_codec *c;
    static unsigned inputs;
    struct dfopt_event x;
    struct dfopt_error err = {.text = ""};
    if (inputs++ % LIFE == 0) {
        dfopt_codec_destroy(c);
        dfopt_dict_destroy(dict);
        FUZZ_CHECK(!dfopt_dict_create(&dict, false) &&
                       !dfopt_codec_create(&c, dict, NULL),
                   "out of memory");
    }
    if (dfopt_codec_decode(c, FUZZ_STREAM, (const char *)data, size, &x, &err)) {
        FUZZ_CHECK(err.text[0], "an error without a text");
    } else {
        FUZZ_CHECK(x.stream == FUZZ_STREAM, "another stream");
        check(c, dict, &x);
        dfopt_event_clear(&x);
    }
    return 0;
}
