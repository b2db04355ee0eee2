import { describe, expect, test } from 'vitest'
import {
  type ChangeEntry,
  concerns,
  describeInterest,
  parseEntry,
} from '../../../../src/stack/realtime/changes/entry.ts'
import type { RowChange } from '../../../../src/stack/realtime/replication.ts'

const change = (type: RowChange['type'], table: string): RowChange => {
  const [schema = '', name = ''] = table.split('.')
  return { schema, table: name, oid: 1, type, commitTime: new Date(), columns: [], new: null, old: null }
}
const asks = (entry: Partial<ChangeEntry>, of: RowChange) => concerns(parseEntry(entry as ChangeEntry), of)

describe('which changes an entry asks for', () => {
  test.each(['INSERT', 'insert', 'Insert'])('%s: inserts', (event) => {
    expect(asks({ event, schema: 'public' }, change('INSERT', 'public.todos'))).toBe(true)
    expect(asks({ event, schema: 'public' }, change('UPDATE', 'public.todos'))).toBe(false)
  })

  test.each(['*', 'TRUNCATE', '', undefined])('%s: all events', (event) => {
    for (const type of ['INSERT', 'UPDATE', 'DELETE'] as const) {
      expect(asks({ event: event as string, schema: 'public' }, change(type, 'public.todos'))).toBe(true)
    }
  })

  test.each([
    [{ schema: 'public', table: 'todos' }, ['public.todos']],
    [{ table: 'todos' }, ['public.todos']],
    [{ schema: 'public' }, ['public.todos', 'public.notes']],
    [{ schema: 'public', table: '*' }, ['public.todos', 'public.notes']],
    [{ schema: '*' }, ['public.todos', 'public.notes', 'app.todos']],
    [{ schema: '*', table: 'todos' }, ['public.todos', 'app.todos']],
    [{ schema: 'app', table: null, filter: null }, ['app.todos']],
    // Names, and not patterns.
    [{ schema: 'public', table: 't_dos' }, []],
  ])('%o', (entry, tables) => {
    const all = ['public.todos', 'public.notes', 'app.todos']
    expect(all.filter((table) => asks({ event: '*', ...entry }, change('INSERT', table)))).toEqual(tables)
  })
})

describe('select', () => {
  test.each([
    [undefined, null],
    [null, null],
    [[], null],
    [[1, null], null],
    [
      ['id', 5, 'title'],
      ['id', 'title'],
    ],
  ])('%o: %o', (select, columns) => {
    expect(parseEntry({ event: '*', schema: 'public', table: 'todos', select }).select).toEqual(columns)
  })
})

describe('what is refused, and how', () => {
  const unnamed = 'No subscription params provided. Please provide at least a `schema` or `table` to subscribe to: '
  const wildcard =
    'Column selection is not supported for wildcard subscriptions. Provide an explicit schema and table name.'
  test.each([
    [{}, `${unnamed}%{}`],
    [{ event: 'INSERT' }, `${unnamed}%{"event" => "INSERT"}`],
    [{ table: 'todos', filter: 'id=eq.1' }, `${unnamed}%{"filter" => "id=eq.1", "table" => "todos"}`],
    [{ schema: 'public', filter: 'id=eq.1' }, `${unnamed}%{"filter" => "id=eq.1", "schema" => "public"}`],
    [{ schema: 'public', table: ['a', null, 1] }, `${unnamed}%{"schema" => "public", "table" => ["a", nil, 1]}`],
    [{ schema: 'public', table: 'todos', filter: 'id=foo.1' }, 'Error parsing `filter` params: ["foo", "1"]'],
    [
      { schema: 'public', table: 'todos', select: 'id,title' },
      'Error parsing `select` params: expected a list of column name strings, e.g. select: ["col1", "col2"]',
    ],
    [{ schema: 'public', select: ['id'] }, wildcard],
    [{ schema: '*', table: 'todos', select: ['id'] }, wildcard],
  ])('%o', (entry, message) => {
    expect(() => parseEntry(entry as ChangeEntry)).toThrow(new Error(message))
  })
})

test('an entry in a message', () => {
  const described = (entry: ChangeEntry) => describeInterest(parseEntry(entry))
  expect(described({ event: 'INSERT', schema: 'public' })).toBe(
    'event: INSERT, schema: public, table: *, filters: [], select: nil',
  )
  expect(
    described({ event: 'x', schema: 'public', table: 'todos', filter: 'a=eq.hey,b=not.in.("c")', select: ['a', 'b'] }),
  ).toBe(
    'event: *, schema: public, table: todos, filters: [{"a", "eq", "hey", false}, {"b", "in", "{\\"c\\"}", true}], select: ["a", "b"]',
  )
})
