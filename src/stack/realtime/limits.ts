/**
 * How much one project may ask of the server. Hosted Supabase meters connections and messages by plan; on one machine
 * those only get in the way of load tests, so they are wide or off. What a client must be written to cope with, the
 * sizes and the channels of a socket, is as on hosted.
 */
export interface Limits {
  /** Bytes of one broadcast's or presence's payload. */
  payloadBytes: number
  /** Bytes of one inbound frame; a longer one ends the connection. */
  frameBytes: number
  /** Bytes waiting for a subscriber that does not read; with more it is dropped. */
  unreadBytes: number
  channelsPerSocket: number
  sockets: number
  /** Averaged over a minute, as the next two. */
  joinsPerSecond: number
  /** Sends and deliveries. */
  eventsPerSecond: number
  presenceEventsPerSecond: number
  /** Of one channel, within half a minute. */
  presenceCalls: number
  /** A socket that says nothing for this long is closed, in milliseconds. Clients send a heartbeat every 25 s. */
  idleMs: number
  /** How long a join waits for a database that is just coming back, in milliseconds, before it is refused. */
  patienceMs: number
  /** How often sockets that left all their channels are looked for, in milliseconds. */
  sweepMs: number
}

export const defaultLimits: Limits = {
  // 3,000 kB and the slack that hosted adds for what wraps the payload.
  payloadBytes: 3_000_000 + 500,
  frameBytes: 5_000_000,
  // Room for a few of the largest messages.
  unreadBytes: 16_000_000,
  // A client that opens more finds out here and not in production.
  channelsPerSocket: 100,
  sockets: 10_000,
  // Five times hosted's: only a loop gone wild joins 30,000 times in a minute.
  joinsPerSecond: 500,
  eventsPerSecond: Number.POSITIVE_INFINITY,
  presenceEventsPerSecond: Number.POSITIVE_INFINITY,
  presenceCalls: Number.POSITIVE_INFINITY,
  idleMs: 60_000,
  // Hosted takes as long to refuse; a client waits for ten seconds.
  patienceMs: 5000,
  sweepMs: 600_000,
}
