/* What the desk takes for a question, a command, or neither; and policy reloads. */
#include "engine/online/desk.h"
#include "support/unit.h"

#include <string.h>

/* A port with one request at a time; keeps the last answer. */
struct fake_port {
    struct dfopt_port port;
    const char *data; /* NULL: none pending */
    size_t len;
    size_t answers;
    char answer[200];
};

static bool port_next(struct dfopt_port *port, struct dfopt_port_request *out)
{
    struct fake_port *p = (struct fake_port *)(void *)port;
    if (!p->data)
        return false;
    *out = (struct dfopt_port_request){
        .client = "me", .client_len = 2, .data = p->data, .len = p->len};
    p->data = NULL;
    return true;
}

static void port_answer(struct dfopt_port *port,
                        const struct dfopt_port_request *to, const char *text,
                        size_t len)
{
    struct fake_port *p = (struct fake_port *)(void *)port;
    assert_int_equal(to->client_len, 2);
    assert_true(len < sizeof p->answer);
    memcpy(p->answer, text, len);
    p->answer[len] = '\0';
    p->answers++;
}

static const struct dfopt_port_ops port_ops = {.next = port_next,
                                               .answer = port_answer};

/* A text and its length; a NUL within is part of it. */
#define TEXT(text) (text), sizeof(text) - 1

enum { STATUS = 1, STOP = 2, RESTORE = 4 };

static const struct {
    const char *text;
    size_t len;
    enum dfopt_desk_took took;
    int means;
} requests[] = {
    {TEXT("{\"request\":\"status\"}"), DFOPT_DESK_ASKED, STATUS},
    {TEXT(" { \"request\" :\t\"status\" }\n"), DFOPT_DESK_ASKED, STATUS},
    {TEXT("{\"request\":\"stop\"}"), DFOPT_DESK_ASKED, STOP},
    {TEXT("{\"request\":\"stop\",\"restore\":true}"), DFOPT_DESK_ASKED,
     STOP | RESTORE},
    {TEXT(""), DFOPT_DESK_ASKED, 0},
    {TEXT("{\"action\":\"freeze\"}"), DFOPT_DESK_COMMAND, 0},
    {TEXT("{\"request\":\"status\""), DFOPT_DESK_COMMAND, 0},
    {TEXT("{\"request\":\"status\"}}"), DFOPT_DESK_COMMAND, 0},
    {TEXT("{\"request\":\"status\"}\0"), DFOPT_DESK_COMMAND, 0},
    {TEXT("{\"request\":\"stop\"}\0\0\0\0"), DFOPT_DESK_COMMAND, 0},
};

static void take_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(requests); i++) {
        struct fake_port port = {.port.ops = &port_ops,
                                 .data = requests[i].text,
                                 .len = requests[i].len};
        const struct dfopt_run_config config = {.port = &port.port};
        struct dfopt_desk desk = {.config = &config};
        struct dfopt_record rec = {.origin = NULL};
        const enum dfopt_desk_took took = dfopt_desk_take(&desk, &rec);
        const int means = (dfopt_desk_wants_state(&desk) ? STATUS : 0) |
                          (desk.stop ? STOP : 0) | (desk.restore ? RESTORE : 0);
        if (took != requests[i].took || means != requests[i].means)
            fail_msg("request %zu", i);
        assert_int_equal(dfopt_desk_is_request(&rec),
                         requests[i].took == DFOPT_DESK_COMMAND);
        assert_int_equal(port.answers, means & STOP || !requests[i].len);
        assert_int_equal(dfopt_desk_take(&desk, &rec), DFOPT_DESK_NOTHING);
        dfopt_desk_free(&desk);
    }
}

/* An unusable record of the input is not answered as if a client had sent it,
 * even at the address of the last command. */
static void input_is_no_request(void **state)
{
    (void)state;
    static const char bytes[] = "{\"action\":\"thaw\"}";
    struct fake_port port = {
        .port.ops = &port_ops, .data = bytes, .len = sizeof bytes - 1};
    const struct dfopt_run_config config = {.port = &port.port};
    struct dfopt_desk desk = {.config = &config};
    struct dfopt_record rec;
    assert_int_equal(dfopt_desk_take(&desk, &rec), DFOPT_DESK_COMMAND);
    assert_true(dfopt_desk_is_request(&rec));
    assert_int_equal(rec.stream, DFOPT_STREAM_CONTROL);
    const struct dfopt_record input = {
        .data = rec.data, .len = rec.len, .stream = rec.stream, .origin = "-"};
    assert_false(dfopt_desk_is_request(&input));
    dfopt_desk_free(&desk);
}

static enum dfopt_err read_policy(void *arg, struct dfopt_buf *out,
                                  struct dfopt_error *err)
{
    (void)err;
    return dfopt_buf_printf(out, "{\n  \"cooldown\": %d\n}\n", *(int *)arg);
}

/* Each reload becomes one command, and the desk does not grow. */
static void reload(void **state)
{
    (void)state;
    volatile sig_atomic_t asked = 0;
    int number = 0;
    char want[100];
    const struct dfopt_run_config config = {
        .reload = &asked, .read_policy = read_policy, .read_policy_arg = &number};
    struct dfopt_desk desk = {.config = &config};
    struct dfopt_record rec;
    bool open;
    for (number = 10; number < 90; number++) {
        asked++;
        assert_int_equal(dfopt_desk_reloads(&desk, &open), asked);
        assert_true(open);
        assert_int_equal(dfopt_desk_take(&desk, &rec), DFOPT_DESK_COMMAND);
        snprintf(want, sizeof want,
                 "{\"action\":\"policy\",\"by\":\"signal\","
                 "\"policy\":{\"cooldown\":%d}}",
                 number);
        assert_int_equal(rec.len, strlen(want));
        assert_memory_equal(rec.data, want, rec.len);
        assert_int_equal(dfopt_desk_take(&desk, &rec), DFOPT_DESK_NOTHING);
        assert_int_equal(desk.own.len, 0);
    }
    dfopt_desk_free(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(take_each),
        cmocka_unit_test(input_is_no_request),
        cmocka_unit_test(reload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
