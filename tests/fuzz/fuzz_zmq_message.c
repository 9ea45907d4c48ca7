/* Messages out of a socket: any number of frames of any size and content. Each is
 * taken or refused as a whole, and the next one comes out whole. The input is a
 * message: for each frame two bytes of length, then the frame. */
#include "fuzz.h"
#include "transport/zmq/message.h"
#include "transport/zmq/metadata.h"

#define FRAMES_MAX 6
#define BYTES_MAX  48 /* of a frame that is taken */
#define ENDPOINT   "inproc://fuzz"

static void *context, *out, *in;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    context = zmq_ctx_new();
    in = zmq_socket(context, ZMQ_PULL);
    out = zmq_socket(context, ZMQ_PUSH);
    FUZZ_CHECK(in && out && !zmq_bind(in, ENDPOINT) && !zmq_connect(out, ENDPOINT),
               "no sockets");
    return 0;
}

struct frame {
    const uint8_t *at;
    size_t n;
};

static size_t split(struct fuzz_input *input, struct frame frames[FRAMES_MAX])
{
    size_t n = 0;
    do {
        const size_t wanted = (size_t)fuzz_number(input, 2);
        frames[n].at = fuzz_bytes(input, wanted, &frames[n].n);
        n++;
    } while (n < FRAMES_MAX && input->left > 0);
    return n;
}

static void send_all(const struct frame *frames, size_t n)
{
    for (size_t i = 0; i < n; i++)
        FUZZ_CHECK(zmq_send(out, frames[i].at, frames[i].n,
                            i + 1 < n ? ZMQ_SNDMORE : 0) == (int)frames[i].n,
                   "frame %zu of %zu", i, n);
}

static enum dfopt_zmq_got expected(const struct frame *frames, size_t n)
{
    if (n != 2 || frames[0].n > BYTES_MAX || frames[1].n > BYTES_MAX)
        return DFOPT_ZMQ_GOT_REFUSED;
    struct dfopt_zmq_members has;
    switch (dfopt_zmq_metadata_scan(frames[0].at, frames[0].n, &has)) {
    case DFOPT_ZMQ_METADATA_PLAIN:
        return DFOPT_ZMQ_GOT_MESSAGE;
    case DFOPT_ZMQ_METADATA_STOP:
        return DFOPT_ZMQ_GOT_STOP;
    default:
        return DFOPT_ZMQ_GOT_REFUSED;
    }
}

static void receive(const struct frame *frames, size_t n)
{
    struct dfopt_zmq_message m;
    enum dfopt_zmq_note why;
    zmq_msg_init(&m.metadata);
    zmq_msg_init(&m.body);
    enum dfopt_zmq_got got = dfopt_zmq_message_receive(in, BYTES_MAX, &m, &why);
    FUZZ_CHECK(got == expected(frames, n), "%d of %zu frames", (int)got, n);
    if (got == DFOPT_ZMQ_GOT_MESSAGE)
        FUZZ_CHECK(zmq_msg_size(&m.body) == frames[1].n &&
                       (frames[1].n == 0 || memcmp(zmq_msg_data(&m.body),
                                                   frames[1].at, frames[1].n) == 0),
                   "another body");
    if (got == DFOPT_ZMQ_GOT_MESSAGE && m.answer.len)
        FUZZ_CHECK(m.answer.len >= 2 && m.answer.at[0] == '{' &&
                       m.answer.at[m.answer.len - 1] == '}',
                   "no object: %.*s", (int)m.answer.len, m.answer.at);
    zmq_msg_close(&m.metadata);
    zmq_msg_close(&m.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct frame good[2] = {{(const uint8_t *)"{}", 2},
                                         {(const uint8_t *)"body", 4}};
    struct fuzz_input input = {data, size};
    struct frame frames[FRAMES_MAX];
    const size_t n = split(&input, frames);
    struct dfopt_zmq_message none;
    enum dfopt_zmq_note why;
    send_all(frames, n);
    send_all(good, 2);
    receive(frames, n);
    receive(good, 2);
    zmq_msg_init(&none.metadata);
    zmq_msg_init(&none.body);
    FUZZ_CHECK(dfopt_zmq_message_receive(in, BYTES_MAX, &none, &why) ==
                   DFOPT_ZMQ_GOT_NOTHING,
               "more than was sent");
    zmq_msg_close(&none.metadata);
    zmq_msg_close(&none.body);
    return 0;
}
