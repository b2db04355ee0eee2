import { expect, test } from 'vitest'
import { fanOut, textBroadcast, userBroadcast } from '../../../src/stack/realtime/fan-out.ts'
import { decodeBinary, decodeText, encodeText, UserBroadcast } from '../../../src/stack/realtime/serializer.ts'

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const den = 'realtime:den'
const heartbeat = { joinRef: null, ref: '9', topic: 'phoenix', event: 'heartbeat', payload: {} }

test('version 1 speaks in objects, and never of join_ref', () => {
  expect(decodeText(1, '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"9"}')).toEqual(heartbeat)
  const join = '{"topic":"realtime:den","event":"phx_join","payload":{"config":{}},"ref":"1","join_ref":"1"}'
  expect(decodeText(1, join)).toMatchObject({ joinRef: '1', ref: '1', topic: den, payload: { config: {} } })
  expect(encodeText(1, { ...heartbeat, joinRef: '1' })).toBe(
    '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"9"}',
  )
})

test('version 2 speaks in arrays', () => {
  expect(decodeText(2, '[null,"9","phoenix","heartbeat",{}]')).toEqual(heartbeat)
  expect(encodeText(2, { ...heartbeat, joinRef: '1' })).toBe('["1","9","phoenix","heartbeat",{}]')
})

test('what follows the payload is ignored', () => {
  expect(decodeText(2, '[null,"9","phoenix","heartbeat",{},"more"]')).toEqual(heartbeat)
})

test.each([
  [2, 'hello'],
  [2, '[null,"9","phoenix","heartbeat"]'],
  [2, '[null,"9",7,"heartbeat",{}]'],
  [2, '[null,{},"phoenix","heartbeat",{}]'],
  [2, '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"9"}'],
  [1, '[null,"9","phoenix","heartbeat",{}]'],
  [1, 'null'],
  [1, '{"topic":"phoenix","event":"heartbeat","ref":"9"}'],
  [1, '{"topic":"phoenix","event":"heartbeat","payload":{}}'],
] as const)('version %s: %s is malformed', (version, text) => {
  expect(decodeText(version, text)).toBeUndefined()
})

const push = '03 01 01 0c 02 00 01 31 34 72 65 61 6c 74 69 6d 65 3a 64 65 6e 68 69 7b 22 6e 22 3a 31 7d'

test("a client's binary frame is a broadcast of its event", () => {
  expect(decodeBinary(bytes(push))).toEqual({
    joinRef: '1',
    ref: '4',
    topic: den,
    event: 'broadcast',
    payload: new UserBroadcast('hi', 'json', Buffer.from('{"n":1}')),
  })
})

test('lengths count bytes, not letters', () => {
  const [topic, event] = [Buffer.from('realtime:höhle'), Buffer.from('👋')]
  const frame = Buffer.concat([Buffer.from([3, 0, 0, topic.length, event.length, 0, 0]), topic, event, bytes('de ad')])
  expect(decodeBinary(frame)).toMatchObject({
    joinRef: null,
    ref: null,
    topic: 'realtime:höhle',
    payload: new UserBroadcast('👋', 'binary', bytes('de ad')),
  })
})

test.each([
  ['nothing', ''],
  ['a kind that no client sends', push.replace('03', '05')],
  ['a head that is cut off', push.slice(0, 17)],
  ['fields longer than the frame', push.replace('0c', 'ff')],
  ['JSON that is none', push.replace('7d', '20')],
  ['metadata that is no JSON', '03 00 00 00 00 01 00 7b'],
])('%s is malformed', (_, hex) => {
  expect(decodeBinary(bytes(hex))).toBeUndefined()
})

test('a JSON broadcast is a binary frame in version 2, its payload untouched, and text in version 1', () => {
  const message = userBroadcast(den, new UserBroadcast('hi', 'json', Buffer.from('{"n":1}')))
  expect(message.frame(2)).toEqual({
    bytes: bytes('04 0c 02 00 01 72 65 61 6c 74 69 6d 65 3a 64 65 6e 68 69 7b 22 6e 22 3a 31 7d'),
    isBinary: true,
  })
  expect(JSON.parse(String(message.frame(1)?.bytes))).toEqual({
    topic: den,
    event: 'broadcast',
    payload: { event: 'hi', payload: { n: 1 }, type: 'broadcast' },
    ref: null,
  })
})

test('bytes have a frame in version 2, and none in version 1', () => {
  const message = userBroadcast(den, new UserBroadcast('hi', 'binary', bytes('de ad')), { id: '7' })
  expect(message.frame(2)?.bytes).toEqual(
    bytes('04 0c 02 0a 00 72 65 61 6c 74 69 6d 65 3a 64 65 6e 68 69 7b 22 69 64 22 3a 22 37 22 7d de ad'),
  )
  expect(message.frame(1)).toBeUndefined()
})

test('metadata stands beside the payload', () => {
  const message = userBroadcast(den, new UserBroadcast('hi', 'json', Buffer.from('{}')), { id: '7' })
  expect(JSON.parse(String(message.frame(1)?.bytes)).payload).toEqual({
    event: 'hi',
    meta: { id: '7' },
    payload: {},
    type: 'broadcast',
  })
})

test('a name too long for a binary frame has none', () => {
  const broadcast = (event: string) => userBroadcast(den, new UserBroadcast(event, 'json', Buffer.from('{}')))
  expect(broadcast('e'.repeat(255)).frame(2)).toBeDefined()
  expect(broadcast('e'.repeat(256)).frame(2)).toBeUndefined()
  expect(broadcast('é'.repeat(128)).frame(2)).toBeUndefined()
  expect(broadcast('é'.repeat(128)).frame(1)).toBeDefined()
})

test('a text broadcast is relayed as it came', () => {
  const message = textBroadcast(den, '{"type":"broadcast","event":"hi","payload":{"n":1}}')
  expect(String(message.frame(2)?.bytes)).toBe(
    '[null,null,"realtime:den","broadcast",{"type":"broadcast","event":"hi","payload":{"n":1}}]',
  )
  expect(String(message.frame(1)?.bytes)).toBe(
    '{"topic":"realtime:den","event":"broadcast","payload":{"type":"broadcast","event":"hi","payload":{"n":1}},"ref":null}',
  )
})

test('what goes to many is serialised once for each version', () => {
  const message = fanOut(heartbeat)
  expect(message.frame(2)).toBe(message.frame(2))
  expect(message.frame(1)).toBe(message.frame(1))
})
