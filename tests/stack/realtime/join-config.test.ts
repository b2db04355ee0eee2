import { expect, test } from 'vitest'
import { readJoinConfig } from '../../../src/stack/realtime/join-config.ts'

const presenceKey = (key: unknown) => readJoinConfig({ config: { presence: { key } } }).presence.key

test('a join that asks for nothing gets the defaults', () => {
  const defaults = {
    isPrivate: false,
    broadcast: { ack: false, self: false, replicationReady: false, replay: undefined },
    presence: { key: expect.stringMatching(/^[0-9a-f-]{36}$/), isEnabled: false },
    changes: [],
    token: undefined,
  }
  for (const payload of [undefined, null, {}, [], 'x', { config: null }, { config: { broadcast: [], presence: 1 } }]) {
    expect(readJoinConfig(payload)).toEqual(defaults)
  }
})

test.each([true, 'true', 'TRUE', 'True'])('%j is true', (given) => {
  const config = { private: given, broadcast: { ack: given, self: given }, presence: { enabled: given } }
  expect(readJoinConfig({ config })).toMatchObject({
    isPrivate: true,
    broadcast: { ack: true, self: true },
    presence: { isEnabled: true },
  })
})

test.each([1, 'yes', {}, null])('%j is not', (given) => {
  expect(readJoinConfig({ config: { private: given } }).isPrivate).toBe(false)
})

test('a presence key is a text, or what can be one; without it a channel has one of its own', () => {
  expect(presenceKey('ana')).toBe('ana')
  expect(presenceKey(7)).toBe('7')
  expect(presenceKey({})).toMatch(/-/)
  expect(presenceKey('')).not.toBe(presenceKey(''))
})

test('entries that are null are left out, and others stay as they were written', () => {
  const entry = { event: 'insert', schema: 'public', more: 1 }
  expect(readJoinConfig({ config: { postgres_changes: [null, entry] } }).changes).toEqual([entry])
  expect(() => readJoinConfig({ config: { postgres_changes: ['todos'] } })).toThrow(TypeError)
})

test('the older name of the token wins', () => {
  expect(readJoinConfig({ access_token: 'a', user_token: 'b' }).token).toBe('b')
  expect(readJoinConfig({ access_token: 'a', user_token: null }).token).toBe('a')
})
