import pg from 'pg'

interface Callable {
  name: string
  arguments: string
  comment: string
  for_clients: boolean
}

interface Relation {
  name: string
  comment: string | null
  columns: string[]
  readable: string[]
  insertable: string[]
  updatable: string[]
  deletable: boolean
  policies: string[]
}

interface ErrorCode {
  code: string
  status: string
  message: string
}

interface Limit {
  name: string
  value: string
  unit: string
}

const callables = `
  select
    p.proname as name,
    pg_get_function_arguments(p.oid) as arguments,
    coalesce(obj_description(p.oid, 'pg_proc'), '') as comment,
    has_function_privilege('authenticated', p.oid, 'execute') as for_clients
  from pg_proc as p
  where p.pronamespace = 'public'::regnamespace
    and (
      has_function_privilege('authenticated', p.oid, 'execute')
      or has_function_privilege('service_role', p.oid, 'execute')
    )
  order by p.proname, p.oid`

const relations = `
  select
    c.relname as name,
    obj_description(c.oid, 'pg_class') as comment,
    array_agg(a.attname::text order by a.attnum) as columns,
    array_agg(a.attname::text order by a.attnum)
      filter (where has_column_privilege('authenticated', c.oid, a.attnum, 'select')) as readable,
    array_agg(a.attname::text order by a.attnum)
      filter (where has_column_privilege('authenticated', c.oid, a.attnum, 'insert')) as insertable,
    array_agg(a.attname::text order by a.attnum)
      filter (where has_column_privilege('authenticated', c.oid, a.attnum, 'update')) as updatable,
    has_table_privilege('authenticated', c.oid, 'delete') as deletable,
    array(select polname::text from pg_policy where polrelid = c.oid order by polname) as policies
  from pg_class as c
  join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition
  group by c.oid
  order by c.relname`

const errorCodes = `
  select code, case sqlstate when '42501' then '401' else substr(sqlstate, 3) end as status, message
  from private.error_codes
  order by 2, code`

/** What clients may call, read and write, and what they are refused, from the catalog of a migrated database. */
export async function generateReference(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows: functions } = await client.query<Callable>(callables)
    const { rows: tables } = await client.query<Relation>(relations)
    const { rows: codes } = await client.query<ErrorCode>(errorCodes)
    const { rows: limits } = await client.query<Limit>('select name, value, unit from private.limits order by name')
    return page(functions, tables, codes, limits)
  } finally {
    await client.end()
  }
}

function page(functions: Callable[], tables: Relation[], codes: ErrorCode[], limits: Limit[]): string {
  const known = new Set(codes.map(({ code }) => code))
  const section = (list: Callable[]) => list.map((each) => describeFunction(each, known)).join('\n')
  return `# Reference

\`npm run types\` writes this page from the migrations. Do not edit it: edit the comment in the migration.

[Functions](#functions) · [Functions for the service key](#functions-for-the-service-key) · [Tables](#tables) ·
[Error codes](#error-codes) · [Limits](#limits)

## Functions

Called as \`supabase.rpc('name', { p_argument: value })\`. An argument with \`=\` may be left out. The objects *room*,
*message* and *user* are in [chat.md](chat.md#objects).

${section(functions.filter((each) => each.for_clients))}
## Functions for the service key

Clients cannot call these. Job functions and the upload function do, with the secret key.

${section(functions.filter((each) => !each.for_clients))}
## Tables

What somebody signed in may do, by grants. The sentences are the names of the policies: they say whose rows. Whoever is
not signed in has no right to any table.

${tables.map(describeTable).join('\n')}
## Error codes

The code stands in \`error.details\`, the sentence in \`error.message\`. PostgREST's own errors (an unknown function, a
malformed argument: 400, 404) have codes that begin with \`PGRST\` or are SQLSTATEs.

| code | status | sentence |
| --- | --- | --- |
${codes.map(({ code, status, message }) => `| \`${code}\` | ${status} | ${message} |`).join('\n')}

## Limits

Rows of \`private.limits\`. Change a value with \`update private.limits set value = … where name = …\`; it counts from the
next call.

| name | value | of what |
| --- | --- | --- |
${limits.map(({ name, value, unit }) => `| \`${name}\` | ${value} | ${unit} |`).join('\n')}
`
}

function describeFunction({ name, arguments: args, comment }: Callable, codes: Set<string>): string {
  const [text = '', refusals] = comment.split(' Refusals: ')
  const signature = args
    .replaceAll(' DEFAULT ', ' = ')
    .replaceAll(/::[a-z_. ]+(\[\])?/g, '')
    .replaceAll('NULL', 'null')
    .replaceAll('integer', 'int')
    .replaceAll('timestamp with time zone', 'timestamptz')
  const why = refusals?.replaceAll(/[a-z]+(_[a-z]+)*/g, (word) => (codes.has(word) ? `\`${word}\`` : word))
  return `### ${name}

\`${name}(${signature})\`

${text}${why ? `\n\nRefusals: ${why}` : ''}
`
}

function describeTable(table: Relation): string {
  const rights = [
    right('Read', table.readable, table),
    right('Insert', table.insertable, table),
    right('Update', table.updatable, table),
    table.deletable && '- Delete',
    ...table.policies.map((policy) => `- ${policy}.`),
  ]
  return `### ${table.name}

${table.comment ? `${table.comment}\n\n` : ''}${rights.filter(Boolean).join('\n')}
`
}

const right = (verb: string, columns: string[] | null, table: Relation): string | null =>
  columns && `- ${verb}: ${columns.length === table.columns.length ? 'all columns' : list(columns)}`

const list = (names: string[]): string => names.map((name) => `\`${name}\``).join(', ')
