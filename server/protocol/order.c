/* order.c - replies leave in the order of their messages. */
#include "server/protocol/order.h"

#include <assert.h>

/* A held reply's memory is kept for the next one unless it was this large. */
#define HELD_KEEP_BYTES 16384

bool order_init(struct order *order, struct arena *arena, struct sink *sink, int capacity,
                size_t held_max)
{
    *order = (struct order){ .sink = sink, .capacity = capacity, .held_max = held_max };
    order->slots = arena_array(arena, struct order_slot, capacity);
    return order->slots != NULL;
}

void order_release(struct order *order)
{
    for (int i = 0; i < order->touched; i++)
        bytes_release(&order->slots[i].held);
}

bool order_is_full(const struct order *order)
{
    return order->count == order->capacity;
}

struct order_slot *order_add(struct order *order)
{
    assert(!order_is_full(order));
    const int at = (order->first + order->count) % order->capacity;
    struct order_slot *slot = &order->slots[at];
    if (at == order->touched) { // never further: the ring is used from its beginning
        bytes_init(&slot->held, order->held_max);
        order->touched++;
    }
    order->count++;
    slot->number = ++order->last_number;
    slot->flags = 0;
    slot->done = false;
    return slot;
}

struct order_slot *order_find(struct order *order, uint64_t number)
{
    uint64_t oldest = order->last_number - (uint64_t)order->count + 1;
    if (order->count == 0 || number < oldest || number > order->last_number)
        return NULL;
    return &order->slots[(order->first + (int)(number - oldest)) % order->capacity];
}

struct order_slot *order_first(struct order *order)
{
    return order->count > 0 ? &order->slots[order->first] : NULL;
}

bool order_is_last(const struct order *order, const struct order_slot *slot)
{
    return slot->number == order->last_number;
}

enum status order_write(struct order *order, struct order_slot *slot, const char *bytes, size_t len)
{
    if (slot == order_first(order)) {
        order->sink->bytes(order->sink, bytes, len);
        return STATUS_OK;
    }
    if (len > order->held_max - order->held_bytes)
        return STATUS_TOO_LARGE;
    if (!bytes_append(&slot->held, bytes, len))
        return STATUS_NO_MEMORY;
    order->held_bytes += len;
    return STATUS_OK;
}

static void send_held(struct order *order, struct order_slot *slot)
{
    if (slot->held.len > 0)
        order->sink->bytes(order->sink, slot->held.data, slot->held.len);
    order->held_bytes -= slot->held.len;
    if (slot->held.capacity > HELD_KEEP_BYTES)
        bytes_release(&slot->held);
    else
        bytes_reset(&slot->held);
}

/* When the first is done, its successor is the first: what it held leaves, and so on. */
void order_done(struct order *order, struct order_slot *slot)
{
    slot->done = true;
    while (order->count > 0 && order->slots[order->first].done) {
        order->first = (order->first + 1) % order->capacity;
        order->count--;
        if (order->count > 0)
            send_held(order, &order->slots[order->first]);
    }
    if (order->count == 0)
        order->first = 0; // a client that waits for each answer needs one slot
}
