import { Hono } from 'hono'
import { invalidInput, readBody } from '../_shared/body.ts'
import { callerOf } from '../_shared/caller.ts'
import { Refusal } from '../_shared/refusal.ts'
import type { Handler } from '../_shared/serve.ts'
import { hotel } from './hotel/index.ts'
import { messaging } from './messaging/index.ts'
import { mobile } from './mobile/index.ts'
import { openApi } from './openapi.ts'
import { rooms } from './rooms/index.ts'
import type { Document, Route } from './route.ts'
import { staff } from './staff/index.ts'

const documents: Document[] = [hotel, staff, messaging, rooms, mobile]

/**
 * The HTTP of the five documents. Nothing is decided here: each route reads what was sent, calls SQL as the caller, and
 * gives the answer the shape that its document shows.
 */
export const door: Handler = async (request) => await router.fetch(request)

const router = new Hono()
// Made when somebody asks: a function's start is to be short.
let description: string | undefined
router.get('/api/openapi.json', () => {
  description ??= JSON.stringify(openApi(documents))
  return new Response(description, { headers: { 'content-type': 'application/json' } })
})
for (const [path, served] of servedPaths(documents)) {
  const pattern = path.replaceAll(/\{(\w+)\}/g, ':$1')
  for (const { document, route } of served) {
    router.on(route.method, pattern, (context) => serve(document, route, context.req.raw, context.req.param()))
  }
  const allow = served.map(({ route }) => route.method).join(', ')
  router.all(pattern, () => {
    throw new Refusal(405, 'method_not_allowed', `Please use ${allow}.`, { allow })
  })
}
router.notFound(() => {
  throw new Refusal(404, 'not_found', 'There is nothing at this address.')
})
// What is thrown is answered where every function's is.
router.onError((error) => {
  throw error
})

type Served = { document: Document; route: Route }

/** Each path with its calls, with and without its last slash: where two documents differ in that alone, it tells them apart. */
function servedPaths(documents: Document[]): Map<string, Served[]> {
  const paths = new Map<string, Served[]>()
  const add = (path: string, served: Served) => {
    const there = paths.get(path) ?? []
    if (!there.some(({ route }) => route.method === served.route.method)) paths.set(path, [...there, served])
  }
  const all = documents.flatMap((document) => document.routes.map((route) => ({ document, route })))
  for (const served of all) add(served.route.path, served)
  for (const served of all) add(otherSlash(served.route.path), served)
  // `create_direct_chat` is no room's id.
  const parameters = ([path]: [string, Served[]]) => path.split('{').length
  return new Map([...paths].sort((a, b) => parameters(a) - parameters(b)))
}

function otherSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : `${path}/`
}

async function serve(
  document: Document,
  route: Route,
  request: Request,
  params: Record<string, string>,
): Promise<Response> {
  try {
    const caller = await callerOf(request)
    const call = {
      caller,
      request,
      params: readParams(document, route, params),
      query: readQuery(route, request),
      body: route.body && !(route.form && isForm(request)) ? await readBody(request, route.body) : undefined,
    }
    const answer = await route.handle(call as never)
    return answer instanceof Response ? answer : Response.json(answer, { status: route.status })
  } catch (error) {
    throw error instanceof Refusal && document.refuse ? document.refuse(error) : error
  }
}

function isForm(request: Request): boolean {
  return /^multipart\/form-data\b/i.test(request.headers.get('content-type') ?? '')
}

function readParams(document: Document, route: Route, params: Record<string, string>): object {
  const read = route.params.safeParse(params)
  if (read.success) return read.data
  if (document.malformedId === 400) throw new Refusal(400, 'invalid_id', 'This is no id.')
  throw new Refusal(404, 'not_found', 'There is no such thing.')
}

function readQuery(route: Route, request: Request): object {
  const read = route.query.safeParse(Object.fromEntries(new URL(request.url).searchParams))
  if (read.success) return read.data
  throw invalidInput(read.error)
}
