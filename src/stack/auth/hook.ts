import pg from 'pg'
import type { Db } from './database.ts'
import { AuthError, failure } from './errors.ts'

const timeoutMs = 2000

// What a token cannot do without; a hook may change and add, not take these away.
const required: Record<string, (value: unknown) => boolean> = {
  aud: (value) => typeof value === 'string' || Array.isArray(value),
  exp: Number.isInteger,
  iat: Number.isInteger,
  sub: isString,
  email: isString,
  phone: isString,
  role: isString,
  aal: isString,
  session_id: isString,
  is_anonymous: (value) => value !== undefined,
}

export interface HookEvent {
  user_id: string
  claims: Record<string, unknown>
  authentication_method: string
}

interface HookOutput {
  claims?: Record<string, unknown>
  error?: { http_code?: number; message?: string }
}

/**
 * Lets the project's function decide over a token's claims, inside the transaction that makes the session and as
 * the service's own role.
 * @param hook `pg-functions://postgres/<schema>/<function>`
 * @throws AuthError what the function answered under `error`, or `unexpected_failure` when it raised
 */
export async function runAccessTokenHook(tx: Db, hook: string, event: HookEvent): Promise<Record<string, unknown>> {
  const output = await callFunction(tx, hook, event)
  if (output?.error?.message) {
    const status = output.error.http_code || 500
    throw new AuthError(status, status === 500 ? 'unexpected_failure' : 'unknown', output.error.message)
  }
  if (!output?.claims) throw failure('output claims field is missing')
  const { claims } = output
  const wrong = Object.keys(required).filter((name) => !required[name]?.(claims[name]))
  if (wrong.length > 0) {
    throw failure(
      `output claims do not conform to the expected schema: \n${wrong.map((name) => `- ${name}\n`).join('')}`,
    )
  }
  return claims
}

/** @throws Error when the address is not one of a Postgres function */
export function hookFunction(hook: string): string {
  const [, schema, name] = /^pg-functions:\/\/[^/]+\/([^/]+)\/([^/]+)$/.exec(hook) ?? []
  if (!schema || !name) throw new Error(`not the address of a Postgres function: ${hook}`)
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`
}

async function callFunction(tx: Db, hook: string, event: HookEvent): Promise<HookOutput | null> {
  try {
    await tx.query(`set local statement_timeout = ${timeoutMs}`)
    const [row] = await tx.query<{ output: HookOutput | null }>(`select ${hookFunction(hook)}($1) as output`, [event])
    await tx.query('set local statement_timeout to default')
    return row?.output ?? null
  } catch (error) {
    throw failure(`Error running hook URI: ${hook}`, error)
  }
}

function isString(value: unknown): boolean {
  return typeof value === 'string'
}
