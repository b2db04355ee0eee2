import type { CustomTypesConfig } from 'pg'

type Parse = (text: string) => unknown

// Postgres' type ids. What is not here goes out as Postgres prints it, which is what its JSON would hold.
const parsers: Record<number, Parse> = {
  16: (text) => text === 't',
  20: parseInteger,
  21: Number,
  23: Number,
  114: JSON.parse,
  700: parseNumber,
  701: parseNumber,
  1114: parseTime,
  1184: parseTime,
  1700: parseNumber,
  3802: JSON.parse,
}

/**
 * Reads the values of an answer so that they become the JSON PostgREST would send. @supabase/lite 0.10.0 with its own
 * driver answers times without `T`, numeric as a string, and the word "NULL" for nothing inside an array.
 */
export class WireTypes {
  /** The element type of each array type, from the catalog: a schema brings its own, an enum's for one. */
  arrays: ReadonlyMap<number, number> = new Map()

  /** What node-postgres asks for a column's type. */
  readonly config: CustomTypesConfig = { getTypeParser: (oid: number) => this.#parser(oid) }

  #parser(oid: number): Parse {
    const element = this.arrays.get(oid)
    if (element === undefined) return parsers[oid] ?? String
    const parse = this.#parser(element)
    return (text) => parseArray(text, parse)
  }
}

function parseInteger(text: string): number | bigint {
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : BigInt(text)
}

/** A JSON number, as PostgREST answers. JSON has none for `NaN` and `Infinity`, which stay strings. */
function parseNumber(text: string): number | string {
  const number = Number(text)
  return Number.isFinite(number) ? number : text
}

/** Postgres prints `2024-05-06 07:08:09+00`; its JSON, and so PostgREST's, is `2024-05-06T07:08:09+00:00`. */
function parseTime(text: string): string {
  return text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00')
}

/** Reads `{a,"b, c",NULL,{…}}`. */
function parseArray(text: string, parse: Parse): unknown[] {
  const outermost: unknown[] = []
  const open = [outermost]
  // Bounds may come first: `[0:1]={a,b}`.
  const tokens = text.slice(text.indexOf('{')).matchAll(/[{}]|"((?:[^"\\]|\\.)*)"|[^{},"]+/gs)
  for (const [token, quoted] of tokens) {
    const list = open.at(-1) ?? outermost
    if (token === '{') {
      const inner: unknown[] = []
      list.push(inner)
      open.push(inner)
    } else if (token === '}') open.pop()
    else if (quoted !== undefined) list.push(parse(quoted.replace(/\\(.)/gs, '$1')))
    else list.push(token === 'NULL' ? null : parse(token))
  }
  return outermost[0] as unknown[]
}
