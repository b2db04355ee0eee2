import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect, inject } from 'vitest'
import type { Person } from '../support/people.ts'

/** What a call was answered with, already found to be what the OpenAPI document says. */
export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they know is there, and fail when it is not
  body: any
  headers: Headers
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Calls the HTTP door as somebody; without a person, as nobody. `path` begins with `/api/`. */
export async function call(
  who: Person | undefined,
  method: Method,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const token = who && (await tokenOf(who))
  const response = await fetch(`${inject('stack').url}/functions/v1${path}`, {
    method,
    headers: {
      ...(token && { authorization: `Token ${token}` }),
      ...(body !== undefined && !(body instanceof FormData) && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && {
      body: body instanceof FormData || typeof body === 'string' ? body : JSON.stringify(body),
    }),
  })
  const answer = { status: response.status, body: await bodyOf(response), headers: response.headers }
  await expectDescribed(method, path, answer)
  return answer
}

export async function tokenOf(who: Person): Promise<string> {
  const { data } = await who.client.auth.getSession()
  if (!data.session) throw new Error('Nobody is signed in.')
  return data.session.access_token
}

async function bodyOf(response: Response): Promise<unknown> {
  if (!response.headers.get('content-type')?.includes('json')) return new Uint8Array(await response.arrayBuffer())
  return response.json()
}

interface OpenApi {
  paths: Record<string, Record<string, Operation>>
  components: object
}

interface Operation {
  responses: Record<string, { content?: { 'application/json'?: { schema: object } } }>
}

let described: Promise<OpenApi> | undefined

export function openApi(): Promise<OpenApi> {
  described ??= fetch(`${inject('stack').url}/functions/v1/api/openapi.json`).then((response) => response.json())
  return described
}

const ajv = addFormats.default(new Ajv2020({ strict: false, allErrors: true }))

/** Every answer of the test run is one that the OpenAPI document describes. */
export async function expectDescribed(method: Method, path: string, { status, body }: Answer): Promise<void> {
  const document = await openApi()
  const operation = operationOf(document, method, new URL(path, 'http://door').pathname)
  // Paths and methods that are none have one answer.
  if (!operation) return expect([404, 405], `${method} ${path}`).toContain(status)
  const response = operation.responses[status]
  expect(response, `${method} ${path} is described with ${status}: ${JSON.stringify(body)}`).toBeDefined()
  const schema = response?.content?.['application/json']?.schema
  if (!schema) return
  const fits = ajv.compile({ ...schema, components: document.components })
  expect(fits(body) || fits.errors, `${method} ${path} ${status}: ${JSON.stringify(body)}`).toBe(true)
}

// The documented slash wins; else the path is the same with and without one.
function operationOf({ paths }: OpenApi, method: Method, path: string): Operation | undefined {
  const candidates = [path, path.endsWith('/') ? path.slice(0, -1) : `${path}/`]
  for (const candidate of candidates) {
    for (const literal of [true, false]) {
      for (const [template, operations] of Object.entries(paths)) {
        const operation = operations[method.toLowerCase()]
        if (operation && template.includes('{') !== literal && matches(template, candidate)) return operation
      }
    }
  }
  return undefined
}

function matches(template: string, path: string): boolean {
  return new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path)
}
