import type pg from 'pg'
import type { Claims } from '../claims.ts'
import type { RowChange } from '../replication.ts'
import type { Arrival } from './backlog.ts'
import { changeData, refusalData, refusalReason } from './change-data.ts'
import { isConnectionLoss } from './database-error.ts'
import { concerns, type Interest } from './entry.ts'
import { type Evaluation, evaluate } from './evaluation.ts'
import { readTable, type Table } from './table.ts'
import { dropInvisible } from './visibility.ts'

/** What a channel is told of one change: the entries that it matches, and the change as the subscriber may see it. */
export interface ChangePayload {
  ids: number[]
  /** Shared between channels that may see the same: not to be changed. */
  data: Record<string, unknown>
}

export interface Listener {
  claims: Claims
  /** Null while its entries are not active; on the clock of `performance`. */
  activeSince: number | null
  interests: Array<{ id: number; interest: Interest }>
  deliver(payload: ChangePayload): void
}

/** One entry that asked for a change, with the claims of that moment. */
interface Match {
  listener: Listener
  claims: Claims
  id: number
  interest: Interest
}

/**
 * Tells listeners of changes of one table, in order: of those that meet their filters, in rows that row level security
 * lets them see, in columns that they may select.
 */
export async function deliverChanges(
  client: pg.ClientBase,
  arrivals: Arrival[],
  listeners: Iterable<Listener>,
  log: (line: string) => void,
): Promise<void> {
  const everyone = [...listeners]
  const asked = arrivals.flatMap(({ change, at }) => {
    const matches = findMatches(everyone, change, at)
    return matches.length ? [{ change, matches }] : []
  })
  const oid = asked[0]?.change.oid
  if (oid === undefined) return
  const roles = new Set(asked.flatMap(({ matches }) => matches.map(({ claims }) => claims.role)))
  // Read for every batch: what a role may see may just have been taken from it.
  const table = await readTable(client, oid, [...roles])
  if (!table) return

  const rows: Row[] = []
  for (const { change, matches } of asked) {
    try {
      rows.push(await filterMatches(client, table, change, matches, log))
    } catch (error) {
      if (isConnectionLoss(error)) throw error
      // A value that does not fit its column, whose type was changed since.
      log(`A change of ${change.schema}.${change.table} could not be told: ${(error as Error).message}`)
    }
  }
  if (table.rowSecurity) await dropInvisible(client, table, rows, log)
  for (const row of rows) tell(table, row, log)
}

/** A change, and those that are told of it unless row level security forbids. */
export interface Row {
  change: RowChange
  evaluation: Evaluation
  matches: Match[]
  refused: Match[]
}

function findMatches(listeners: Listener[], change: RowChange, at: number): Match[] {
  return listeners.flatMap((listener) => {
    const { activeSince, claims, interests } = listener
    if (activeSince === null || activeSince > at) return []
    return interests
      .filter(({ interest }) => concerns(interest, change))
      .map(({ id, interest }) => ({ listener, claims, id, interest }))
  })
}

async function filterMatches(
  client: pg.ClientBase,
  table: Table,
  change: RowChange,
  all: Match[],
  log: (line: string) => void,
): Promise<Row> {
  const isRefused = ({ claims }: Match) => refusalReason(change, table, claims.role) !== null
  const matches = all.filter((match) => !isRefused(match))
  const conditions = matches.flatMap(({ interest }) => interest.conditions)
  const distinct = new Map(conditions.map((condition) => [condition.key, condition]))
  const evaluation = await evaluate(client, table, change, [...distinct.values()], log)
  return {
    change,
    evaluation,
    matches: matches.filter(({ interest }) => interest.conditions.every(({ key }) => evaluation.met.has(key))),
    refused: all.filter(isRefused),
  }
}

/** One message for each channel and selection of columns. */
function tell(table: Table, { change, evaluation, matches, refused }: Row, log: (line: string) => void): void {
  const shared = new Map<string, Record<string, unknown>>()
  const messages = new Map<Listener, Map<Record<string, unknown>, number[]>>()
  const add = ({ listener, claims, id, interest }: Match, make: () => Record<string, unknown>) => {
    const view = JSON.stringify([claims.role, interest.select && [...interest.select].sort()])
    const data = shared.get(view) ?? make()
    shared.set(view, data)
    const own = messages.get(listener) ?? new Map<Record<string, unknown>, number[]>()
    messages.set(listener, own)
    own.set(data, [...(own.get(data) ?? []), id])
  }
  for (const match of matches) {
    const { claims, interest } = match
    add(match, () => changeData(change, table, evaluation, claims.role, interest.select))
  }
  for (const match of refused) {
    add(match, () => refusalData(change, refusalReason(change, table, match.claims.role) ?? ''))
  }

  for (const [listener, own] of messages) {
    for (const [data, ids] of own) {
      // It may have left while the database was asked.
      if (listener.activeSince === null) continue
      try {
        listener.deliver({ ids, data })
      } catch (error) {
        log(`A change of ${change.schema}.${change.table} could not be handed on: ${(error as Error).message}`)
      }
    }
  }
}
