import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Claims } from './claims.ts'

/** Who asks, about which topic. Policies see all of it. */
export interface Subject {
  claims: Claims
  /** Without the prefix `realtime:`. */
  topic: string
  headers: Record<string, string>
}

export type Extension = 'broadcast' | 'presence'

export type Grants = Record<Extension, boolean>

/** No answer could be had. `policy`: a policy raised, or its role is unknown; it counts as a refusal. */
export class AuthorizationFailed extends Error {
  override readonly name = 'AuthorizationFailed'
  readonly kind: 'policy' | 'canceled' | 'partition' | 'unavailable'

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.kind = kindOf(cause)
  }
}

/**
 * What row level security on `realtime.messages` says about a topic: a row is tried in a transaction that is rolled
 * back, so that nobody ever sees it.
 */
export class Authorization {
  readonly #pool: pg.Pool

  /** @param pool connects as the owner of `realtime.messages`, who may become the callers' roles */
  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  /**
   * Whether the subject may read what these extensions send on the topic.
   * @throws AuthorizationFailed
   */
  reads(subject: Subject, extensions: Extension[]): Promise<Map<Extension, boolean>> {
    return this.#try(async (client) => {
      const probes = extensions.map((extension) => ({ id: randomUUID(), extension }))
      await client.query(
        `insert into realtime.messages (id, topic, extension, inserted_at, updated_at)
         select id, $1, extension, now() at time zone 'utc', now() at time zone 'utc'
         from unnest($2::uuid[], $3::text[]) as probes (id, extension)`,
        [subject.topic, probes.map(({ id }) => id), extensions],
      )
      await become(client, subject)
      const { rows } = await client.query<{ id: string }>('select id from realtime.messages where id = any ($1)', [
        probes.map(({ id }) => id),
      ])
      const seen = new Set(rows.map(({ id }) => id))
      return new Map(probes.map(({ id, extension }) => [extension, seen.has(id)]))
    })
  }

  /**
   * What the subject may send on the topic.
   * @throws AuthorizationFailed
   */
  writes(subject: Subject): Promise<Grants> {
    return this.#try(async (client) => {
      await become(client, subject)
      return {
        broadcast: await mayInsert(client, subject.topic, 'broadcast'),
        presence: await mayInsert(client, subject.topic, 'presence'),
      }
    })
  }

  async #try<Result>(ask: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    let client: pg.PoolClient | undefined
    try {
      client = await this.#pool.connect()
      await client.query('begin')
      const result = await ask(client)
      await client.query('rollback')
      client.release()
      return result
    } catch (error) {
      await client?.query('rollback').then(
        () => client?.release(),
        (broken: Error) => client?.release(broken),
      )
      throw new AuthorizationFailed(error)
    }
  }
}

async function become(client: pg.PoolClient, { claims, topic, headers }: Subject): Promise<void> {
  await client.query(
    `select
       set_config('role', $1, true),
       set_config('realtime.topic', $2, true),
       set_config('request.jwt.claims', $3, true),
       set_config('request.jwt.claim.sub', $4, true),
       set_config('request.jwt.claim.role', $1, true),
       set_config('request.headers', $5, true)`,
    [claims.role, topic, JSON.stringify(claims), String(claims.sub ?? ''), JSON.stringify(headers)],
  )
}

const insufficientPrivilege = '42501'

async function mayInsert(client: pg.PoolClient, topic: string, extension: Extension): Promise<boolean> {
  await client.query('savepoint probe')
  try {
    // Without RETURNING, which would ask for the right to read as well.
    await client.query(
      `insert into realtime.messages (topic, extension, inserted_at, updated_at)
       values ($1, $2, now() at time zone 'utc', now() at time zone 'utc')`,
      [topic, extension],
    )
    return true
  } catch (error) {
    if ((error as pg.DatabaseError).code !== insufficientPrivilege) throw error
    return false
  } finally {
    await client.query('rollback to savepoint probe')
  }
}

function kindOf(error: unknown): AuthorizationFailed['kind'] {
  if (!(error instanceof pg.DatabaseError)) return 'unavailable'
  const { code = '', routine } = error
  if (code === '57014') return 'canceled'
  // A row that no partition takes has the code of a broken check constraint.
  if (code === '23514' && routine === 'ExecFindPartition') return 'partition'
  // The connection failed, there are too many, or the server shuts down.
  return /^(08|53|57P)/.test(code) ? 'unavailable' : 'policy'
}
