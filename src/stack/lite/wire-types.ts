import type { PostgresType } from 'postgres'

// How values cross the wire, where @supabase/lite 0.10.0 and PostgREST differ. The numbers are Postgres' type ids.

/** What arrives here as a string is JSON text already: encoding it again would store a JSON string of the JSON. */
const json = (oid: number): PostgresType => ({
  to: oid,
  from: [oid],
  serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)),
  parse: JSON.parse,
})

/** Postgres prints `2024-05-06 07:08:09+00`; its JSON, and so PostgREST's, is `2024-05-06T07:08:09+00:00`. */
const isoTime = (oid: number): PostgresType => ({
  to: oid,
  from: [oid],
  serialize: (value: unknown) => value,
  parse: (text: string) => text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'),
})

const asText = (oid: number): PostgresType => ({
  to: oid,
  from: [oid],
  serialize: (value: unknown) => value,
  parse: (text: string) => text,
})

/**
 * A JSON number, as PostgREST answers; clients read it with the precision of their own JSON parser, which for
 * supabase-js is a double. `NaN` and `Infinity` stay strings: JSON has no numbers for them.
 */
const number = (oid: number): PostgresType => ({
  to: oid,
  from: [oid],
  serialize: String,
  parse: (text: string) => (Number.isFinite(Number(text)) ? Number(text) : text),
})

export const wireTypes: Record<string, PostgresType> = {
  json: json(114),
  jsonb: json(3802),
  timestamp: isoTime(1114),
  timestamptz: isoTime(1184),
  float4: number(700),
  float8: number(701),
  numeric: number(1700),
  // Bytes go out as Postgres prints them, `\x0102`, not as the JSON of a Buffer.
  bytea: asText(17),
}
