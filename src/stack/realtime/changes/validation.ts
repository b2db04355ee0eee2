import pg from 'pg'
import { conditionSql, keywords } from './condition-sql.ts'
import { errorText } from './database-error.ts'
import { coversTable, describeInterest, type Interest } from './entry.ts'
import type { Condition } from './filter.ts'
import type { PublishedTable } from './publication.ts'
import { type Column, readTable } from './table.ts'
import { queryRow, TypedParameters } from './typed-query.ts'

const maxListLength = 100

/** That an entry cannot be subscribed to. The message is the text for the client. */
export class Refused extends Error {}

/** What Supabase's own checks raise. */
class InvalidParameter extends Error {}

/**
 * Refuses what could not be evaluated later, change by change: unknown or forbidden columns, values that are none of
 * the column's type, operators that its type does not have.
 * @throws Refused
 */
export async function validate(
  client: pg.ClientBase,
  interest: Interest,
  role: string,
  publication: PublishedTable[],
): Promise<void> {
  const tables = publication.filter((table) => coversTable(interest, table))
  if (tables.length === 0) {
    throw new Refused(
      `Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given connect parameters: [${describeInterest(interest)}]`,
    )
  }
  try {
    // Unknown, or not to be had: every check of a row would fail.
    await client.query(`select set_config('role', $1, true)`, [role])
    if (interest.conditions.length || interest.select) {
      for (const { oid } of tables) await validateColumns(client, oid, interest, role)
    }
  } catch (error) {
    const text =
      error instanceof InvalidParameter
        ? errorText('P0001', error.message)
        : error instanceof pg.DatabaseError && errorText(error.code ?? '', error.message)
    if (!text) throw error
    throw new Refused(
      `Unable to subscribe to changes with given parameters. An exception happened so please check your connect parameters: [${describeInterest(interest)}]. Exception: ${text}`,
      { cause: error },
    )
  }
}

async function validateColumns(client: pg.ClientBase, oid: number, interest: Interest, role: string): Promise<void> {
  const table = await readTable(client, oid, [role])
  const readable = (name: string) =>
    table?.columns.find((column) => column.name === name && column.readers.includes(role))
  for (const condition of interest.conditions) {
    const column = readable(condition.column)
    if (!column) throw new InvalidParameter(`invalid column for filter ${condition.column}`)
    await validateCondition(client, condition, column)
  }
  for (const name of interest.select ?? []) {
    if (!readable(name)) throw new InvalidParameter(`invalid column for select ${name}`)
  }
}

async function validateCondition(client: pg.ClientBase, condition: Condition, column: Column): Promise<void> {
  const { operator, value } = condition
  if (operator === 'is') {
    if (!keywords.includes(value)) {
      throw new InvalidParameter('invalid value for is filter: must be null, true, false, or unknown')
    }
    if (value !== 'null' && column.sqlType !== 'boolean') {
      throw new InvalidParameter(`is ${value} filter requires a boolean column, got ${column.sqlType}`)
    }
  }
  if (operator === 'in') await validateList(client, value, column)
  if (operator === 'like' || operator === 'ilike') await validatePattern(client, condition, column)
  if (operator === 'match' || operator === 'imatch') await validateRegex(client, condition, column)

  // Whatever else Postgres would say, it says now. No value of the column is needed for that.
  const parameters = new TypedParameters()
  const sql = conditionSql(condition, column, parameters.add(null, column.typeOid), parameters)
  await queryRow(client, `select ${sql}`, parameters)
}

async function validateList(client: pg.ClientBase, list: string, column: Column): Promise<void> {
  const parameters = new TypedParameters()
  const [length] = await queryRow(
    client,
    `select cardinality(${parameters.add(list, column.arrayTypeOid || column.typeOid)})`,
    parameters,
  )
  if (Number(length) > maxListLength) {
    throw new InvalidParameter(`too many values for \`in\` filter. Maximum ${maxListLength}`)
  }
}

async function validatePattern(client: pg.ClientBase, { operator, value }: Condition, column: Column): Promise<void> {
  await requireOperator(client, operator, '~~', column, false)
  // Postgres would say so only on a value that matches up to there.
  if (/(?<!\\)(?:\\\\)*\\$/.test(value)) {
    throw new InvalidParameter('LIKE pattern must not end with escape character')
  }
}

async function validateRegex(client: pg.ClientBase, { operator, value }: Condition, column: Column): Promise<void> {
  await requireOperator(client, operator, operator === 'match' ? '~' : '~*', column, true)
  try {
    await client.query(`select '' ~ $1::text`, [value])
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error
    throw new InvalidParameter(`invalid regular expression for ${operator} filter: ${error.message}`)
  }
}

/** As strict as Supabase, to which `varchar` is not compatible with text. */
async function requireOperator(
  client: pg.ClientBase,
  operator: string,
  symbol: string,
  column: Column,
  onItself: boolean,
): Promise<void> {
  const { rowCount } = await client.query(
    `select from pg_operator
    where oprname = $1 and oprleft = $2 and (not $3 or oprright = $2) and oprresult = 'boolean'::regtype`,
    [symbol, column.typeOid, onItself],
  )
  if (!rowCount) {
    throw new InvalidParameter(`operator ${operator} requires a text-compatible column type, got ${column.sqlType}`)
  }
}
