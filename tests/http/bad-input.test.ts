import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { localKeys } from '../../src/stack/keys.ts'
import { withDatabase } from '../support/jobs.ts'
import { type Person, signUp } from '../support/people.ts'
import { type Answer, call, openApi } from './http.ts'

/** Every route of the OpenAPI document, with everything that may be wrong about a call. */

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
interface Schema {
  type?: string | string[]
  format?: string
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  minItems?: number
}
interface Operation {
  parameters: { name: string; in: 'path' | 'query'; required: boolean; schema: Schema }[]
  requestBody?: { required: boolean; content: Record<string, { schema: Schema }> }
}
interface Endpoint {
  name: string
  method: Method
  path: string
  operation: Operation
  body?: Schema
}

const { paths } = (await openApi()) as unknown as { paths: Record<string, Record<string, Operation>> }
const endpoints = Object.entries(paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, operation]): Endpoint => {
    const body = operation.requestBody?.content['application/json']?.schema
    const name = `${method.toUpperCase()} ${path}`
    return { name, method: method.toUpperCase() as Method, path, operation, ...(body && { body }) }
  }),
)

// Others' things, which the caller of every test has no part in.
let theirs: { owner: Person; room: string; message: string; slug: string }

beforeAll(async () => {
  const owner = await signUp('Owner')
  const slug = `secret-${randomUUID()}`
  const organization = await owner.client.rpc('create_organization', { p_name: 'Secret', p_slug: slug }).throwOnError()
  const other = await signUp('Other')
  const { id: organizationId } = organization.data as { id: string }
  await owner.client
    .rpc('add_organization_member', { p_organization_id: organizationId, p_user_id: other.id, p_role: 'staff' })
    .throwOnError()
  const { data } = await owner.client
    .rpc('create_group_chat', { p_title: 'Secret', p_member_ids: [other.id], p_organization_id: organizationId })
    .throwOnError()
  const { id: room } = data as { id: string }
  const sent = await owner.client.rpc('send_message', { p_room_id: room, p_content: 'a secret' }).throwOnError()
  theirs = { owner, room, slug, message: (sent.data as { message_id: string }).message_id }
})

describe.for(endpoints)('$name', ({ method, path, operation, body }) => {
  // One of their own for each route: calls are counted.
  let eve: Person
  beforeAll(async () => {
    eve = await signUp('Eve')
  })
  const valid = (schema = body) => (schema ? sample(schema) : undefined)
  const at = (id: () => string) => fill(path, operation, id)
  const ask = async (who: Person | undefined, target: string, sent?: unknown, headers?: Record<string, string>) => {
    const answer = await call(who, method, target, sent, headers)
    expectPolite(answer)
    return answer
  }

  test('nobody, garbage, a forged token and one that has expired: 401', async () => {
    const target = at(randomUUID)
    const tokens = [undefined, 'Bearer', 'Token garbage', `Bearer ${await token('nobody knows it', '1h')}`]
    tokens.push(`Token ${await token(localKeys.jwtSecret, '-1h')}`)
    const answers = tokens.map((authorization) =>
      ask(undefined, target, valid(), authorization === undefined ? {} : { authorization }),
    )
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject({ status: 401, body: { success: false, error: 'not_signed_in' } })
    }
  })

  test('another method: 405, and which are right', async () => {
    const answer = await call(eve, method === 'PATCH' ? 'PUT' : 'PATCH', at(randomUUID), {})
    if (answer.status !== 405)
      return expect(Object.keys(paths[path] ?? {})).toContain(method === 'PATCH' ? 'put' : 'patch')
    expect(answer.headers.get('allow')?.split(', ')).toContain(method)
  })

  test('what belongs to others, and what does not exist, is refused, and nothing changes', async () => {
    const before = await everything()
    const others = [theirs.room, theirs.message]
    for (const id of [() => randomUUID(), () => others[0] as string, () => others[1] as string]) {
      const answer = await ask(eve, fill(path, operation, id, theirs.slug), valid())
      if (/\{/.test(path)) expect(answer.status, JSON.stringify(answer.body)).toBeOneOf([400, 403, 404])
    }
    expect(await everything()).toEqual(before)
  })

  test('ids that are none: 400 or 404', async () => {
    if (!/_id\}|\{id\}/.test(path)) return
    for (const id of ['7', 'x', '%00', `${randomUUID()}x`, "'; drop table chat_messages; --"]) {
      const answer = await ask(
        eve,
        at(() => encodeURIComponent(decodeURIComponent(id))),
        valid(),
      )
      expect(answer.status).toBeOneOf([400, 404])
    }
  })

  test('bodies that are none, too large, or of the wrong shape', async () => {
    if (!body) return
    const target = at(randomUUID)
    const json = { 'content-type': 'application/json' }
    expect(await ask(eve, target, '{ no json', json)).toMatchObject({ status: 400, body: { error: 'invalid_json' } })
    expect(await ask(eve, target, JSON.stringify({ x: 'x'.repeat(1024 * 1024) }), json)).toMatchObject({ status: 413 })
    const shapes = [[], 'text', null].map((wrong) => ask(eve, target, JSON.stringify(wrong), json))
    for (const { status } of await Promise.all(shapes)) expect(status).toBe(400)
    expect((await ask(eve, target, { ...(valid() as object), unheard_of: true })).status).toBeLessThan(500)
    for (const field of body.required ?? []) {
      const { [field]: _, ...rest } = valid() as Record<string, unknown>
      expect(await ask(eve, target, rest)).toMatchObject({
        status: 400,
        body: { fields: { [field]: expect.any(String) } },
      })
    }
    const wrong = [{ an: 'object' }, 'a zero byte: \0', '\ud800', 'x'.repeat(20_000)]
    await Promise.all(
      Object.keys(body.properties ?? {}).flatMap((field) =>
        wrong.map((value) => ask(eve, target, { ...(valid() as object), [field]: value })),
      ),
    )
  })

  test('queries that make no sense', async () => {
    const names = operation.parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name)
    const [bare] = at(randomUUID).split('?')
    await Promise.all(
      names.flatMap((name) =>
        ['', '-1', '99999999999999999999', '%00'].map((value) => ask(eve, `${bare}?${name}=${value}`, valid())),
      ),
    )
  })
})

async function token(secret: string, expires: string): Promise<string> {
  return await new SignJWT({ role: 'authenticated' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(theirs.owner.id)
    .setAudience('authenticated')
    .setIssuer(`${inject('stack').url}/auth/v1`)
    .setIssuedAt()
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(secret))
}

/** What others have: nothing of it may change. */
async function everything(): Promise<unknown> {
  return await withDatabase(async (client) => {
    const { rows } = await client.query(
      `select
         (select to_jsonb(r) from public.chat_rooms as r where id = $1) as room,
         (select jsonb_agg(m order by seq) from public.chat_messages as m where room_id = $1) as messages,
         (select jsonb_agg(m order by user_id) from public.chat_room_members as m where room_id = $1) as members,
         (select jsonb_agg(p order by user_id) from public.user_chat_preferences as p where room_id = $1) as preferences,
         (select count(*) from public.message_reactions where room_id = $1) as reactions,
         (select to_jsonb(o) from public.organizations as o where slug = $2) as organization`,
      [theirs.room, theirs.slug],
    )
    return rows
  })
}

function expectPolite({ status, body }: Answer): void {
  const said = body instanceof Uint8Array ? '' : JSON.stringify(body)
  expect(status, said).toBeLessThan(500)
  if (status < 400) return
  expect(body).toMatchObject({ success: false, error: expect.stringMatching(/^[a-z_]+$/), message: expect.any(String) })
  expect(said).not.toMatch(
    /postgres|pgrst|sql|relation|violates|constraint|chat_messages|chat_rooms|zod|deno|stack|undefined|typeerror/i,
  )
}

function fill(path: string, operation: Operation, id: () => string, slug = 'no-such-hotel'): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) =>
    name.endsWith('_slug') ? slug : /(^|_)id$/.test(name) ? id() : encodeURIComponent('👍'),
  )
  const query = operation.parameters.filter((parameter) => parameter.in === 'query' && parameter.required)
  return query.length === 0
    ? filled
    : `${filled}?${query.map(({ name, schema }) => `${name}=${/id$/.test(name) ? id() : sample(schema)}`).join('&')}`
}

/** Something of this schema. */
function sample(schema: Schema): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf) return sample(schema.anyOf[0] as Schema)
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (type === 'object') {
    return Object.fromEntries(
      (schema.required ?? []).map((name) => [name, sample(schema.properties?.[name] as Schema)]),
    )
  }
  if (type === 'array') return schema.items ? [sample(schema.items)] : []
  if (type === 'boolean') return true
  if (type === 'integer' || type === 'number') return 1
  if (schema.format === 'uuid') return randomUUID()
  if (schema.format === 'date-time') return new Date().toISOString()
  return 'x'
}
