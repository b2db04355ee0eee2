import { z } from 'zod'
import type { Caller } from '../_shared/caller.ts'
import type { Refusal } from '../_shared/refusal.ts'

/** One call of one document. The router, the validation and the OpenAPI document are made of these. */
export interface Route {
  /** The contract's row. */
  row: string
  method: Method
  /** As documented, with or without its last slash; parameters in braces. */
  path: string
  summary: string
  params: z.ZodObject
  query: z.ZodObject
  /** None: whatever is sent is not looked at. */
  body: z.ZodType | undefined
  /** Files may come in a form as well, which the route reads itself: `body` is undefined then. */
  form: boolean
  status: number
  /** None: a file, or something else that is no JSON. */
  answer: z.ZodType | undefined
  /** The codes of refusals that the document names, by status. */
  refusals: number[]
  handle(call: Call<never, never, never>): Promise<unknown>
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What a route's own code is given: all of it has the shape that the route asks for. */
interface Call<Params, Query, Body> {
  caller: Caller
  params: Params
  query: Query
  body: Body
  request: Request
}

/** What one document has in common. */
export interface Document {
  name: string
  title: string
  routes: Route[]
  /** What an id in a path that is no UUID is answered with. */
  malformedId: 400 | 404
  /** How the document's own front end is to be told of a refusal; as it is, where this says nothing. */
  refuse?: (refusal: Refusal) => Refusal
}

interface Options<Path extends string, Params extends z.ZodRawShape, Query extends z.ZodRawShape, Body, Answer> {
  row: string
  method: Method
  path: Path
  summary: string
  /** Of parameters that are no ids: those are UUIDs unless said otherwise. */
  params?: Params
  query?: Query
  body?: z.ZodType<Body>
  form?: boolean
  status?: number
  answer?: z.ZodType<Answer>
  refusals?: number[]
  handle(
    call: Call<Ids<Path, Params> & z.output<z.ZodObject<Params>>, z.output<z.ZodObject<Query>>, Body>,
  ): Promise<Answer | Response>
}

type Names<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never
type Ids<Path extends string, Params> = Record<Exclude<Names<Path>, keyof Params>, string>

export function route<
  const Path extends string,
  Params extends z.ZodRawShape = Record<never, never>,
  Query extends z.ZodRawShape = Record<never, never>,
  Body = undefined,
  Answer = never,
>(options: Options<Path, Params, Query, Body, Answer>): Route {
  const { params = {}, query = {}, body, form = false, status = 200, answer, refusals = [], ...rest } = options
  const names = [...options.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
  const ids = Object.fromEntries(names.map((name) => [name, z.uuid()]))
  return {
    ...rest,
    params: z.object({ ...ids, ...params }),
    query: z.object(query),
    body,
    form,
    status,
    answer,
    refusals,
  } as Route
}
