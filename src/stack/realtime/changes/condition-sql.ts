import type { Condition } from './filter.ts'
import type { Column } from './table.ts'
import type { TypedParameters } from './typed-query.ts'

const symbols = {
  eq: '=',
  neq: '<>',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
  like: 'like',
  ilike: 'ilike',
  match: '~',
  imatch: '~*',
}

/** What `is` may ask for: these are words of SQL, not values. */
export const keywords = ['null', 'true', 'false', 'unknown']

/**
 * SQL that asks whether a value of a column meets a condition.
 * @param value its placeholder, of the column's type
 * @param parameters to which the condition's own value is added
 */
export function conditionSql(condition: Condition, column: Column, value: string, parameters: TypedParameters): string {
  const { operator, negated } = condition
  if (operator === 'is') {
    const keyword = keywords.find((word) => word === condition.value)
    if (!keyword) throw new Error(`no keyword of SQL: ${condition.value}`)
    return `${value} is ${negated ? 'not ' : ''}${keyword}`
  }
  if (operator === 'isdistinct') {
    return `${value} is ${negated ? 'not ' : ''}distinct from ${parameters.add(condition.value, column.typeOid)}`
  }
  const test =
    operator === 'in'
      ? // An array's own type stands in for the missing type of its lists: Postgres then says what cannot be compared.
        `${value} = any (${parameters.add(condition.value, column.arrayTypeOid || column.typeOid)})`
      : `${value} ${symbols[operator]} ${parameters.add(condition.value, column.typeOid)}`
  return negated ? `not (${test})` : test
}
