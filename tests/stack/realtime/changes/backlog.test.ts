import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Arrival, Backlog } from '../../../../src/stack/realtime/changes/backlog.ts'
import type { RowChange } from '../../../../src/stack/realtime/replication.ts'

let lines: string[]
/** The ids handed on, a list for each batch. */
let batches: string[][]
let handle: (arrivals: Arrival[]) => Promise<void>
let backlog: Backlog

beforeEach(() => {
  vi.useFakeTimers()
  lines = []
  batches = []
  handle = async () => {}
  backlog = new Backlog({
    maxBytes: 1_000,
    log: (line) => lines.push(line),
    handle: (arrivals) => {
      batches.push(arrivals.map(({ change }) => change.new?.get('id') ?? ''))
      return handle(arrivals)
    },
  })
})

afterEach(async () => {
  const closed = backlog.close()
  await vi.advanceTimersByTimeAsync(1_000)
  await closed
  vi.useRealTimers()
})

function change(id: string, oid = 1, filling = ''): RowChange {
  const values = new Map([
    ['id', id],
    ['filling', filling],
  ])
  return {
    schema: 'public',
    table: 't',
    oid,
    type: 'INSERT',
    commitTime: new Date(),
    columns: [],
    new: values,
    old: null,
  }
}

test('a change is held back for a tenth of a second', async () => {
  backlog.add(change('a'))
  await vi.advanceTimersByTimeAsync(99)
  expect(batches).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(batches).toEqual([['a']])
})

test('what is due by then goes together, in order; what is not waits its own time', async () => {
  backlog.add(change('a'))
  backlog.add(change('b'))
  await vi.advanceTimersByTimeAsync(50)
  backlog.add(change('c'))
  await vi.advanceTimersByTimeAsync(50)
  expect(batches).toEqual([['a', 'b']])
  await vi.advanceTimersByTimeAsync(50)
  expect(batches).toEqual([['a', 'b'], ['c']])
})

test('changes of a table wait for the ones before, not for those of other tables', async () => {
  let finish = () => {}
  handle = ([first]) => (first?.change.oid === 1 ? new Promise((resolve) => (finish = resolve)) : Promise.resolve())
  backlog.add(change('a'))
  await vi.advanceTimersByTimeAsync(100)
  backlog.add(change('b'))
  backlog.add(change('other', 2))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(batches).toEqual([['a'], ['other']])
  finish()
  await vi.advanceTimersByTimeAsync(0)
  expect(batches).toEqual([['a'], ['other'], ['b']])
  finish()
})

test('a batch that fails is logged, and the next one comes', async () => {
  handle = () => Promise.reject(new Error('no database'))
  backlog.add(change('a'))
  await vi.advanceTimersByTimeAsync(100)
  expect(lines).toEqual(['1 changes of rows could not be delivered: no database'])
  backlog.add(change('b'))
  await vi.advanceTimersByTimeAsync(100)
  expect(batches).toEqual([['a'], ['b']])
})

test('more than may wait is dropped, and said so; when there is room again, changes are taken again', async () => {
  let finish = () => {}
  handle = () => new Promise((resolve) => (finish = resolve))
  backlog.add(change('a', 1, 'x'.repeat(600)))
  await vi.advanceTimersByTimeAsync(100)
  for (const id of ['b', 'c']) backlog.add(change(id, 1, 'x'.repeat(600)))
  backlog.add(change('small'))
  expect(lines).toEqual([
    'Changes of rows are dropped: the database is too slow to check them.',
    '2 changes of rows were dropped.',
  ])
  finish()
  await vi.advanceTimersByTimeAsync(100)
  finish()
  await vi.advanceTimersByTimeAsync(0)
  backlog.add(change('d', 1, 'x'.repeat(600)))
  await vi.advanceTimersByTimeAsync(100)
  finish()
  expect(batches).toEqual([['a'], ['small'], ['d']])
})

test('a change larger than all that may wait is taken when nothing else waits', async () => {
  backlog.add(change('huge', 1, 'x'.repeat(5_000)))
  await vi.advanceTimersByTimeAsync(100)
  expect(batches).toEqual([['huge']])
})

test('closed, it hands nothing on', async () => {
  backlog.add(change('a'))
  const closed = backlog.close()
  backlog.add(change('b'))
  await vi.advanceTimersByTimeAsync(200)
  await closed
  expect(batches).toEqual([])
})
