/* What services that read under one name tell each other, with a module that has no
 * broker: the test carries the messages, in the order of the topic. */
#include "net/fake_mofka.h"
#include "support/unit.h"
#include "support/wait.h"
#include "transport/mofka/presence.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

struct service {
    struct dfopt_mofka_link *link;
    struct dfopt_mofka_presence *presence;
};

static size_t (*sent)(char body[FAKE_MOFKA_BYTES], size_t i);

static struct service begin(const char *findings, const char *consumer)
{
    struct service s;
    struct dfopt_error err = {0};
    const char *path = getenv("DFOPT_FAKE_MOFKA");
    assert_int_equal(dfopt_mofka_link_create(&s.link, path, 60000, &err), DFOPT_OK);
    assert_int_equal(dfopt_mofka_presence_create(&s.presence, s.link, "acks",
                                                 "acks", findings, consumer, &err),
                     DFOPT_OK);
    void *module = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    assert_non_null(module);
    *(void **)&sent = dlsym(module, "fake_mofka_sent");
    assert_non_null(sent);
    return s;
}

static void end(struct service *s)
{
    assert_true(dfopt_mofka_presence_destroy(s->presence));
    assert_true(dfopt_mofka_link_destroy(s->link));
}

/* Says hello, and waits until it is in the topic. */
static void hello(struct service *s)
{
    const size_t n = sent(NULL, SIZE_MAX) + 1;
    assert_int_equal(dfopt_mofka_presence_hello(s->presence, NULL), DFOPT_OK);
    wait_until(sent(NULL, SIZE_MAX) >= n);
}

/* Takes message i of the topic; whether it shows another service. */
static bool takes(struct service *s, size_t i)
{
    char body[FAKE_MOFKA_BYTES], text[900];
    assert_true(i < sent(body, i));
    return dfopt_mofka_presence_take(s->presence, body, strlen(body), text,
                                     sizeof text);
}

static void test_two_of_one_name(void **state)
{
    (void)state;
    struct service a = begin("findings", "c"), b = begin("findings", "c"),
                   other = begin("findings", "d");
    const size_t at = sent(NULL, SIZE_MAX);
    hello(&a);
    assert_false(takes(&a, at));
    hello(&b);
    assert_true(takes(&a, at + 1)); /* and answers */
    wait_until(sent(NULL, SIZE_MAX) >= at + 3);
    assert_false(takes(&b, at)); /* it may have ended long ago */
    assert_false(takes(&b, at + 1));
    assert_true(takes(&b, at + 2));
    assert_false(takes(&a, at + 1)); /* once */
    assert_false(takes(&a, at + 2));
    assert_false(takes(&b, at + 2));
    hello(&other);
    for (size_t i = at; i <= at + 3; i++)
        assert_false(takes(&other, i));
    assert_false(takes(&a, at + 3));
    assert_int_equal(sent(NULL, SIZE_MAX), at + 4); /* no answer to an answer */
    end(&a);
    end(&b);
    end(&other);
}

static void test_one_after_the_other(void **state)
{
    (void)state;
    const size_t at = sent(NULL, SIZE_MAX);
    struct service a = begin("findings", "c");
    hello(&a);
    end(&a);
    struct service b = begin("findings", "c");
    hello(&b);
    assert_false(takes(&b, at));
    assert_false(takes(&b, at + 1));
    end(&b);
}

static void test_what_is_no_message(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "{}", "[1]", "{\"token\":\"1\"}",
                                        "{\"token\":\"x\",\"reads\":\"1\",\"host\":"
                                        "\"h\",\"process\":1,\"answer\":0}"};
    char text[900], longest[4096];
    struct service a = begin("findings", "c");
    hello(&a);
    assert_false(takes(&a, sent(NULL, SIZE_MAX) - 1));
    for (size_t i = 0; i < N_OF(texts); i++)
        assert_false(dfopt_mofka_presence_take(
            a.presence, texts[i], strlen(texts[i]), text, sizeof text));
    memset(longest, '"', sizeof longest);
    assert_false(dfopt_mofka_presence_take(a.presence, longest, sizeof longest,
                                           text, sizeof text));
    end(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_two_of_one_name),
                                       cmocka_unit_test(test_one_after_the_other),
                                       cmocka_unit_test(test_what_is_no_message)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
