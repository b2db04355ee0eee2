import { inspect } from './inspect.ts'

const operators = [
  'eq',
  'neq',
  'lt',
  'lte',
  'gt',
  'gte',
  'in',
  'like',
  'ilike',
  'match',
  'imatch',
  'is',
  'isdistinct',
] as const
type Operator = (typeof operators)[number]

/** One `column=operator.value` of a filter. */
export interface Condition {
  /** The same for equal conditions, so that each is evaluated once for all subscribers. */
  key: string
  column: string
  operator: Operator
  /** For `in`, the text of a Postgres array. */
  value: string
  negated: boolean
}

/**
 * The conditions of a filter such as `room_id=eq.7,body=not.like.draft%`, all of which a row must meet.
 * @throws Error, with the reason that the client is told
 */
export function parseFilter(filter: string): Condition[] {
  return filter.trim() === '' ? [] : splitAtCommas(filter.trim()).map(parseCondition)
}

/** Commas in parentheses or double quotes do not separate. */
function splitAtCommas(filter: string): string[] {
  const segments: string[] = []
  let segment = ''
  let depth = 0
  let quoted = false
  const characters = filter[Symbol.iterator]()
  for (const character of characters) {
    if (!quoted && depth === 0 && character === ',') {
      segments.push(segment)
      segment = ''
      continue
    }
    if (quoted) {
      if (character === '"') quoted = false
    } else if (character === '"') {
      // A quote inside of a value is only a quote.
      quoted = /[.(,]$/.test(segment)
    } else if (character === '(') depth++
    else if (character === ')') depth = Math.max(0, depth - 1)
    segment += character
    if (quoted && character === '\\') segment += characters.next().value ?? ''
  }
  return [...segments, segment]
}

function parseCondition(segment: string): Condition {
  const text = segment.trim()
  if (text === '') throw new Error('filter must not contain empty segments (check for extra commas)')
  const [column, test] = splitOnce(text, '=')
  if (test === undefined) throw new Error(inspect([text]))
  const negated = test.startsWith('not.')
  const rest = negated ? test.slice('not.'.length) : test
  const [operator, value] = splitOnce(rest, '.')
  if (value === undefined) throw new Error(inspect([rest]))
  if (!isOperator(operator)) throw new Error(inspect([operator, value]))
  const literal = operator === 'in' ? arrayLiteral(value) : unquote(value)
  return { key: JSON.stringify([column, operator, literal, negated]), column, operator, value: literal, negated }
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

function isOperator(name: string): name is Operator {
  return (operators as readonly string[]).includes(name)
}

function arrayLiteral(value: string): string {
  const inside = /^\((.*)\)$/s.exec(value)?.[1]
  if (inside === undefined) throw new Error('`in` filter value must be wrapped by parentheses')
  return `{${inside}}`
}

/** What is not quoted from its first to its last character is meant as it stands. */
function unquote(value: string): string {
  const inside = /^"((?:[^"\\]|\\.)*)"$/s.exec(value)?.[1]
  return inside === undefined ? value : inside.replace(/\\(.)/gs, '$1')
}
