import { z } from 'zod'
import type { Document, Route } from './route.ts'

/** What all of the documents' front ends may call, as OpenAPI 3.1. */
export function openApi(documents: Document[]): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Parley over HTTP',
      version: '1.0.0',
      description: 'The calls of five existing front ends. New clients use supabase-js instead.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/functions/v1' }],
    security: [{ token: [] }],
    tags: documents.map(({ name, title }) => ({ name, description: title })),
    paths: pathsOf(documents),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: { Refusal: schemaOf(refusal, 'output') },
    },
  }
}

const refusal = z.object({
  success: z.literal(false),
  error: z.string().describe('The machine code.'),
  message: z.string().describe('For people.'),
  fields: z.record(z.string(), z.string()).optional().describe('What is wrong with which field.'),
  refused: z.array(z.record(z.string(), z.unknown())).optional().describe('The files that may not be uploaded.'),
})

// What any call may be answered with: bad input, no token, not allowed, not there, wrong method, too much or too often,
// and out of order.
const anyCall = [400, 401, 403, 404, 405, 413, 429, 503]

function pathsOf(documents: Document[]): Record<string, Record<string, object>> {
  const paths: Record<string, Record<string, object>> = {}
  for (const { name, routes } of documents) {
    for (const route of routes) {
      paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(name, route) }
    }
  }
  return paths
}

function operationOf(tag: string, route: Route): object {
  const statuses = [...new Set([...anyCall, ...route.refusals])]
  return {
    operationId: `${route.row}.${route.method.toLowerCase()}.${route.path.replaceAll(/\W+/g, '_')}`,
    tags: [tag],
    summary: route.summary,
    parameters: [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')],
    ...(route.body && {
      requestBody: {
        required: route.form || !route.body.safeParse(undefined).success,
        content: {
          'application/json': { schema: schemaOf(route.body, 'input') },
          ...(route.form && { 'multipart/form-data': { schema: fileForm } }),
        },
      },
    }),
    responses: {
      [route.status]: {
        description: 'As asked.',
        ...(route.answer && { content: { 'application/json': { schema: schemaOf(route.answer, 'output') } } }),
      },
      ...Object.fromEntries(statuses.map((status) => [status, refusalResponse])),
    },
  }
}

const fileForm = {
  type: 'object',
  properties: { files: { type: 'array', items: { type: 'string', contentMediaType: 'application/octet-stream' } } },
  required: ['files'],
}

const refusalResponse = {
  description: 'Refused.',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Refusal' } } },
}

function parametersOf(shape: z.ZodObject, where: 'path' | 'query'): object[] {
  return Object.entries(shape.shape).map(([name, type]) => ({
    name,
    in: where,
    required: where === 'path' || !(type as z.ZodType).safeParse(undefined).success,
    schema: schemaOf(type as z.ZodType, 'input'),
  }))
}

function schemaOf(type: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io, unrepresentable: 'any' })
  return schema
}
