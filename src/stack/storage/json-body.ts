import { invalidRequest } from './errors.ts'

/** @throws {StorageError} 400 when the body is no JSON object */
export async function readObject(request: Request): Promise<Record<string, unknown>> {
  const body: unknown = await request.json().catch((cause: Error) => {
    throw invalidRequest(cause.message)
  })
  if (!body || typeof body !== 'object' || Array.isArray(body)) throw invalidRequest('body must be object')
  return { ...body }
}

/** @throws {StorageError} 400 when the field is not there or no string */
export function requiredString(body: Record<string, unknown>, field: string): string {
  const value = body[field]
  if (value === undefined) throw invalidRequest(`body must have required property '${field}'`)
  if (typeof value !== 'string') throw invalidRequest(`body/${field} must be string`)
  return value
}

/** Undefined when the field is not there. @throws {StorageError} 400 when it is no whole number from `minimum` up */
export function optionalInteger(body: Record<string, unknown>, field: string, minimum: number): number | undefined {
  const value = body[field]
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value)) throw invalidRequest(`body/${field} must be integer`)
  if (value < minimum) throw invalidRequest(`body/${field} must be >= ${minimum}`)
  return value
}

/** @throws {StorageError} 400 when the field is no list of at least one string */
export function requiredStrings(body: Record<string, unknown>, field: string): string[] {
  const value = body[field]
  if (!Array.isArray(value) || value.length === 0)
    throw invalidRequest(`body/${field} must NOT have fewer than 1 items`)
  for (const item of value) {
    if (typeof item !== 'string') throw invalidRequest(`body/${field} must be strings`)
  }
  return value
}
