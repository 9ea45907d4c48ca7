/* Counts notes and limits the rate of reports. */
#include "transport/zmq/notes.h"

#include "base/clock.h"

#include <stdio.h>

#define TELL_EVERY_NS 1000000000

const char *dfopt_zmq_note_text(enum dfopt_zmq_note note)
{
    static const char *const texts[] = {
#define NOTE_TEXT(name, text) [DFOPT_ZMQ_NOTE_##name] = (text),
        DFOPT_ZMQ_NOTE_LIST(NOTE_TEXT)
#undef NOTE_TEXT
    };
    return (unsigned)note < DFOPT_ZMQ_NOTE_COUNT ? texts[note] : "";
}

static void tell(struct dfopt_zmq_notes *notes, enum dfopt_zmq_note note,
                 int64_t now)
{
    notes->kinds[note].told = notes->kinds[note].total;
    notes->kinds[note].told_ns = now;
    notes->fn(notes->arg, note, notes->kinds[note].endpoint,
              notes->kinds[note].detail, notes->kinds[note].total);
}

bool dfopt_zmq_notes_due(const struct dfopt_zmq_notes *notes,
                         enum dfopt_zmq_note note)
{
    return notes->fn && (!notes->kinds[note].told ||
                         dfopt_clock_monotonic_ns() - notes->kinds[note].told_ns >=
                             TELL_EVERY_NS);
}

void dfopt_zmq_notes_add(struct dfopt_zmq_notes *notes, enum dfopt_zmq_note note,
                         const char *endpoint, uint64_t n)
{
    if (n == 0)
        return;
    notes->kinds[note].total += n;
    notes->kinds[note].endpoint = endpoint;
    if (!notes->fn)
        return;
    if (dfopt_zmq_notes_due(notes, note))
        tell(notes, note, dfopt_clock_monotonic_ns());
}

void dfopt_zmq_notes_add_about(struct dfopt_zmq_notes *notes,
                               enum dfopt_zmq_note note, const char *endpoint,
                               const char *detail)
{
    snprintf(notes->kinds[note].detail, sizeof notes->kinds[note].detail, "%s",
             detail);
    dfopt_zmq_notes_add(notes, note, endpoint, 1);
}

void dfopt_zmq_notes_end(struct dfopt_zmq_notes *notes)
{
    for (int i = 0; notes->fn && i < DFOPT_ZMQ_NOTE_COUNT; i++)
        if (notes->kinds[i].told != notes->kinds[i].total)
            tell(notes, (enum dfopt_zmq_note)i, 0);
}

void dfopt_zmq_notes_totals(const struct dfopt_zmq_notes *notes,
                            uint64_t totals[DFOPT_ZMQ_NOTE_COUNT])
{
    for (int i = 0; i < DFOPT_ZMQ_NOTE_COUNT; i++)
        totals[i] = notes->kinds[i].total;
}
