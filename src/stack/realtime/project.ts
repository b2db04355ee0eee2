import type pg from 'pg'
import type { Keys } from '../keys.ts'
import type { Authorization } from './authorization.ts'
import type { Changes } from './changes/changes.ts'
import type { Limits } from './limits.ts'
import type { Rate } from './rate.ts'
import type { Replication } from './replication.ts'
import type { Topics } from './topics.ts'

/** What all sockets of a project share. */
export interface Project {
  readonly keys: Keys
  readonly limits: Limits
  readonly rates: Rates
  readonly topics: Topics
  readonly authorization: Authorization
  readonly changes: Changes
  readonly replication: Replication
  readonly pool: pg.Pool
  log(line: string): void
}

interface Rates {
  joins: Rate
  /** Sends and deliveries. */
  events: Rate
  presence: Rate
}
