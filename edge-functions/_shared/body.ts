import type { z } from 'zod'
import { Refusal } from './refusal.ts'

const maxBytes = 1024 * 1024

/**
 * The request's JSON in the shape asked for. Shape only: who may do what is decided in SQL.
 *
 * @throws Refusal
 */
export async function readBody<T>(request: Request, shape: z.ZodType<T>): Promise<T> {
  let json: unknown
  try {
    const bytes = await readAtMost(request, maxBytes, () => {
      return new Refusal(413, 'body_too_large', 'The body is too large.')
    })
    // Some clients say that they send JSON, and send nothing: fine where nothing is needed.
    json = bytes.byteLength === 0 ? undefined : JSON.parse(new TextDecoder().decode(bytes))
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal(400, 'invalid_json', 'Please send JSON, and no form: the body cannot be read as JSON.')
  }
  const input = shape.safeParse(json)
  if (input.success) return input.data

  throw invalidInput(input.error)
}

/** What is wrong with which field, in words for people. */
export function invalidInput({ issues }: z.ZodError): Refusal {
  const fields = issues.map((issue) => [issue.path.join('.') || 'body', complaintOf(issue)])
  return new Refusal(400, 'invalid_input', 'Please check what you sent.', { fields: Object.fromEntries(fields) })
}

function complaintOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type') return issue.message
  return issue.message.endsWith('received undefined') ? 'This is required.' : `This must be of type ${issue.expected}.`
}

/** @throws Refusal, as soon as it is too much. */
export async function readAtMost(request: Request, limit: number, tooLarge: () => Refusal): Promise<ArrayBuffer> {
  const announced = request.headers.get('content-length')
  if (announced !== null) {
    if (Number(announced) > limit) throw tooLarge()
    return await request.arrayBuffer()
  }
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.length
    if (size > limit) throw tooLarge()
    chunks.push(chunk)
  }
  const whole = new ArrayBuffer(size)
  const bytes = new Uint8Array(whole)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** @throws Refusal */
export function requireMethod(request: Request, method: string): void {
  if (request.method === method) return
  throw new Refusal(405, 'method_not_allowed', `Please use ${method}.`, { allow: method })
}
