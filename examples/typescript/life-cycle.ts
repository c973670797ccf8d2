// Takes a booking of the demo studio through its life, with every change arriving in a subscription.
//
//   frontdesk demo                      prints the address and the tokens
//   FRONTDESK_URL=http://127.0.0.1:8080/graphql FRONTDESK_OWNER_TOKEN=... npm start

import assert from 'node:assert/strict';
import { createClient as createSocket } from 'graphql-ws';
import { pipe, subscribe } from 'wonka';
import WebSocket from 'ws';
import { connect, mutate } from './client.js';

const url = process.env.FRONTDESK_URL ?? 'http://127.0.0.1:8080/graphql';
const bearer = process.env.FRONTDESK_OWNER_TOKEN;
if (!bearer) throw new Error('set FRONTDESK_OWNER_TOKEN to an owner token; `frontdesk demo` prints one');

interface Booking {
  id: string;
  status: string;
  revision: number;
  startDate: string;
}
interface BookingEvent {
  cursor: string;
  type: string;
  revision: number;
  status: string;
  booking: { id: string };
}

let passed = 0;
function check(what: string, holds: boolean): void {
  assert.ok(holds, what);
  passed += 1;
  console.log(`ok   ${what}`);
}

/** Collects what a subscription delivers; `until` waits for as many items as named. */
function collector<T>(): { push: (item: T) => void; until: (count: number) => Promise<T[]>; items: T[] } {
  const items: T[] = [];
  let wake = (): void => {};
  return {
    items,
    push: (item) => {
      items.push(item);
      wake();
    },
    until: async (count) => {
      const deadline = Date.now() + 10_000;
      while (items.length < count) {
        const left = deadline - Date.now();
        if (left <= 0) throw new Error(`only ${items.length} of ${count} items came: ${JSON.stringify(items)}`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left);
          wake = () => (clearTimeout(timer), resolve());
        });
      }
      return items;
    },
  };
}

const owner = connect(url, { bearer });
const visitor = connect(url, {});

// What can be booked?
const { data: catalog, error } = await visitor.client
  .query('{ services(first: 50) { nodes { id name type durations } } eventCursor }', {})
  .toPromise();
if (error) throw error;
const training = catalog.services.nodes.find((service: { type: string }) => service.type === 'APPOINTMENT');
check('a visitor sees an appointment service', training !== undefined);

// Watch the log from here on: nothing that happens from now on is missed.
const log = collector<BookingEvent>();
const watching = pipe(
  owner.client.subscription(
    'subscription($after: String) { bookingEvents(after: $after) { cursor type revision status booking { id } } }',
    { after: catalog.eventCursor },
  ),
  subscribe((result) => {
    if (result.error) throw result.error;
    if (result.data) log.push(result.data.bookingEvents);
  }),
);

// When is somebody free? Some weeks ahead, for three days.
const day = 86_400_000;
const from = Date.now() + (40 + Math.floor(Math.random() * 200)) * day;
const { data: free, error: unanswered } = await visitor.client
  .query(
    `query($services: [ID!]!, $from: DateTime!, $to: DateTime!) {
      availability(serviceIds: $services, from: $from, to: $to, bookable: true) { timeSlots { startDate bookable } }
    }`,
    { services: [training.id], from: new Date(from).toISOString(), to: new Date(from + 3 * day).toISOString() },
  )
  .toPromise();
if (unanswered) throw unanswered;
const slots: { startDate: string; bookable: boolean }[] = free.availability.timeSlots;
check('free times are offered', slots.length > 2 && slots.every((slot) => slot.bookable));
const [start, later] = [0, 1].map((half) => {
  const part = slots.length / 2;
  return slots[Math.floor(half * part + Math.random() * part)].startDate;
});

// Book one: a visitor without an account, holding the time for ten minutes.
const { booking, visitorToken } = await mutate<{ booking: Booking; visitorToken: string }>(
  visitor.client,
  'createBooking',
  {
    bookedEntity: { slot: { appointment: { serviceId: training.id, startDate: start } } },
    contactDetails: { firstName: 'Ada', email: 'ada@example.org' },
    totalParticipants: 1,
    holdSeconds: 600,
    idempotencyKey: crypto.randomUUID(),
  },
  'booking { id status revision startDate hold { expiresAt } } visitorToken',
);
check('the booking is CREATED', booking.status === 'CREATED');
check('the visitor got a token', typeof visitorToken === 'string');

// The visitor watches the status of its own booking, with graphql-ws alone.
const known = createSocket({
  url: url.replace(/^http/, 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: { 'Frontdesk-Visitor-Token': visitorToken },
});
const statuses = collector<string>();
const stop = known.subscribe<{ bookingStatusChanged: { status: string } }>(
  {
    query: 'subscription($id: ID!) { bookingStatusChanged(bookingId: $id) { status previousStatus revision } }',
    variables: { id: booking.id },
  },
  {
    next: (result) => {
      if (result.data) statuses.push(result.data.bookingStatusChanged.status);
    },
    error: (reason) => {
      throw reason;
    },
    complete: () => {},
  },
);
await statuses.until(1);

// The owner confirms and moves it; the visitor cancels it.
const confirmed = await mutate<{ booking: Booking }>(
  owner.client,
  'confirmBooking',
  { bookingId: booking.id, expectedRevision: booking.revision },
  'booking { id status revision startDate }',
);
check('the owner confirms it', confirmed.booking.status === 'CONFIRMED');
const moved = await mutate<{ booking: Booking }>(
  owner.client,
  'rescheduleBooking',
  { bookingId: booking.id, slot: { appointment: { serviceId: training.id, startDate: later } } },
  'booking { id status revision startDate }',
);
check('it moves to another free time', Date.parse(moved.booking.startDate) === Date.parse(later));
const returning = connect(url, { visitorToken });
const canceled = await mutate<{ booking: Booking }>(
  returning.client,
  'cancelBooking',
  { bookingId: booking.id },
  'booking { id status revision startDate }',
);
check('the visitor comes back with the token and cancels', canceled.booking.status === 'CANCELED');

const own = () => log.items.filter((event) => event.booking.id === booking.id);
for (let count = 4; own().length < 4; count += 1) await log.until(count);
assert.deepEqual(
  own().map((event) => [event.type, event.status, event.revision]),
  [
    ['CREATED', 'CREATED', 1],
    ['CONFIRMED', 'CONFIRMED', 2],
    ['RESCHEDULED', 'CONFIRMED', 3],
    ['CANCELED', 'CANCELED', 4],
  ],
);
check('every change came through the subscription, once and in order', true);
assert.deepEqual(await statuses.until(3), ['CREATED', 'CONFIRMED', 'CANCELED']);
check('the visitor saw each status', true);

// Coming back after a cursor gives exactly what came behind it.
const first = own()[0];
assert.ok(first);
const again = collector<BookingEvent>();
const rewatching = pipe(
  owner.client.subscription(
    'subscription($after: String) { bookingEvents(after: $after) { cursor type revision status booking { id } } }',
    { after: first.cursor },
  ),
  subscribe((result) => {
    if (result.data?.bookingEvents.booking.id === booking.id) again.push(result.data.bookingEvents);
  }),
);
assert.deepEqual((await again.until(3)).map((event) => event.revision), [2, 3, 4]);
check('a subscriber that comes back after its cursor misses nothing', true);

rewatching.unsubscribe();
watching.unsubscribe();
stop();
await Promise.all([owner, visitor, returning].map(({ socket }) => socket.dispose()));
await known.dispose();
console.log(`${passed} passed, 0 failed`);
