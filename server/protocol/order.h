/*
 * order.h - replies leave in the order of their messages.
 *
 *     order_init(&order, &arena, sink, capacity, held_max)
 *     struct order_slot *slot = order_add(&order);           // a message arrived
 *     order_write(&order, slot, bytes, len);                 // sent if it is the first, else held
 *     order_done(&order, slot);                              // and what was held behind it leaves
 *     order_release(&order);
 *
 * A ring of the messages in flight. Both protocols stand on it.
 */
#ifndef SERVER_PROTOCOL_ORDER_H
#define SERVER_PROTOCOL_ORDER_H

#include "base/bytes.h"
#include "server/protocol/protocol.h"

struct order_slot {
    uint64_t number;   // of the message
    unsigned flags;    // the protocol's own
    bool done;         // nothing more will be written
    struct bytes held; // written before its turn
};

struct order {
    struct sink *sink;
    struct order_slot *slots; // (capacity) ring, the oldest at `first`
    int capacity, first, count;
    int touched;          // slots that were ever used: the others cost no memory
    uint64_t last_number; // 0 before the first message
    size_t held_bytes, held_max;
};

MUST_CHECK bool order_init(struct order *order, struct arena *arena, struct sink *sink,
                           int capacity, size_t held_max); // false: arena is full
void order_release(struct order *order);

bool order_is_full(const struct order *order);
struct order_slot *order_add(struct order *order);                   // not when full
struct order_slot *order_find(struct order *order, uint64_t number); // NULL: not in flight
struct order_slot *order_first(struct order *order);                 // NULL: none in flight
bool order_is_last(const struct order *order, const struct order_slot *slot);

enum status order_write(struct order *order, struct order_slot *slot, const char *bytes,
                        size_t len);
void order_done(struct order *order, struct order_slot *slot);

#endif
