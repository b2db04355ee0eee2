import { expect, test } from 'vitest'
import { parseFilter } from '../../../../src/stack/realtime/changes/filter.ts'

const parsed = (filter: string) =>
  parseFilter(filter).map(({ column, operator, value, negated }) => [
    column,
    negated ? `not.${operator}` : operator,
    value,
  ])

test.each([
  ['id=eq.7', [['id', 'eq', '7']]],
  ['', []],
  ['   ', []],
  [
    ' id=gt.0 , id=lt.100 ',
    [
      ['id', 'gt', '0'],
      ['id', 'lt', '100'],
    ],
  ],
  ['id=not.eq.5', [['id', 'not.eq', '5']]],
  ['subject=in.(hidee,ho)', [['subject', 'in', '{hidee,ho}']]],
  ['value=in.(a,"b,c")', [['value', 'in', '{a,"b,c"}']]],
  ['value=in.("a)",b)', [['value', 'in', '{"a)",b}']]],
  ['value=in.()', [['value', 'in', '{}']]],
  ['nullable_value=not.is.null', [['nullable_value', 'not.is', 'null']]],
  [
    'value=like.ab%,details=not.like.skip%,nullable_value=is.null',
    [
      ['value', 'like', 'ab%'],
      ['details', 'not.like', 'skip%'],
      ['nullable_value', 'is', 'null'],
    ],
  ],
  [
    'area=eq."Oslo, Norway",id=eq.1',
    [
      ['area', 'eq', 'Oslo, Norway'],
      ['id', 'eq', '1'],
    ],
  ],
  ['area=eq."a \\"quoted\\" \\\\ word"', [['area', 'eq', 'a "quoted" \\ word']]],
  // Not terminated, or followed by more: as it stands.
  ['area=eq."open', [['area', 'eq', '"open']]],
  ['area=eq."open, id=eq.1', [['area', 'eq', '"open, id=eq.1']]],
  ['area=eq."a"b', [['area', 'eq', '"a"b']]],
  // A quote inside of a value opens nothing.
  [
    'area=eq.5" pipe,id=eq.1',
    [
      ['area', 'eq', '5" pipe'],
      ['id', 'eq', '1'],
    ],
  ],
  [
    'area=eq.a),id=eq.1',
    [
      ['area', 'eq', 'a)'],
      ['id', 'eq', '1'],
    ],
  ],
  [
    'area=eq.f(a,b),id=eq.1',
    [
      ['area', 'eq', 'f(a,b)'],
      ['id', 'eq', '1'],
    ],
  ],
  ['url=eq.a.b=c.d', [['url', 'eq', 'a.b=c.d']]],
  ['area=eq.', [['area', 'eq', '']]],
])('%s', (filter, conditions) => {
  expect(parsed(filter)).toEqual(conditions)
})

test.each([
  ['subject=foo.hey', '["foo", "hey"]'],
  ['subject=not.foo.hey', '["foo", "hey"]'],
  ['subject=toString.hey', '["toString", "hey"]'],
  ['wrong', '["wrong"]'],
  ['a=eq', '["eq"]'],
  ['undefined', '["undefined"]'],
  ['id=eq.1,', 'filter must not contain empty segments (check for extra commas)'],
  ['id=eq.1, ,id=eq.2', 'filter must not contain empty segments (check for extra commas)'],
  [',', 'filter must not contain empty segments (check for extra commas)'],
  ['id=in.1,2', '`in` filter value must be wrapped by parentheses'],
  ['id=in.(1,2', '`in` filter value must be wrapped by parentheses'],
])('%s is no filter: %s', (filter, reason) => {
  expect(() => parseFilter(filter)).toThrow(new Error(reason))
})

test('equal conditions have equal keys, others have not', () => {
  const keys = (filter: string) => parseFilter(filter).map((condition) => condition.key)
  expect(keys('id=eq.1')).toEqual(keys(' id=eq."1"'))
  expect(new Set(keys('id=eq.1,id=not.eq.1,id=neq.1,id=eq.2,di=eq.1')).size).toBe(5)
})
