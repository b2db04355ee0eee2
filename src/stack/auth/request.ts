import type { Context } from 'hono'
import type { Caller } from '../service.ts'
import type { Claims } from './callers.ts'
import { AuthError, invalid } from './errors.ts'
import type { Device } from './sessions.ts'
import type { Metadata } from './users.ts'

export interface Env {
  Bindings: Caller
  Variables: { claims: Claims }
}

/** A JSON object as it came: nothing about its fields is known. */
export type Body = Record<string, unknown>

/** The body's fields; none for a request without a body. @throws AuthError `bad_json`, `validation_failed` */
export async function readBody(c: Context<Env>): Promise<Body> {
  const body = parse((await c.req.text()) || '{}')
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw badJson('not an object')
  return body as Body
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text, storable)
  } catch (error) {
    if (error instanceof AuthError) throw error
    throw badJson(error instanceof Error ? error.message : String(error))
  }
}

function storable(name: string, value: unknown): unknown {
  if (!isStorable(name) || (typeof value === 'string' && !isStorable(value))) {
    throw invalid('Text must not contain NUL or half of a surrogate pair')
  }
  return value
}

/** Postgres stores neither NUL nor half of a surrogate pair, as text or in JSON. */
export function isStorable(value: string): boolean {
  return !/[\0\p{Surrogate}]/u.test(value)
}

function badJson(reason: string): AuthError {
  return new AuthError(400, 'bad_json', `Could not parse request body as JSON: ${reason}`)
}

/** A field that is text; absent and null are the empty text. */
export function text(body: Body, field: string): string {
  const value = body[field] ?? ''
  if (typeof value !== 'string') throw invalid(`${field} must be a string`)
  return value
}

/** A field that is an object; absent and null are nothing. */
export function metadata(body: Body, field: string): Metadata | undefined {
  const value = body[field] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid(`${field} must be an object`)
  return value as Metadata
}

/** An e-mail address as it is stored. @throws AuthError `validation_failed` */
export function emailAddress(given: string): string {
  if (!given) throw invalid('An email address is required')
  if (given.length > 255 || !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(given)) {
    throw invalid('Unable to validate email address: invalid format')
  }
  return given.toLowerCase()
}

export function deviceOf(c: Context<Env>): Device {
  return { userAgent: c.req.header('user-agent') ?? null, ip: c.env.address || null }
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export function isUuid(value: string): boolean {
  return uuidPattern.test(value)
}
