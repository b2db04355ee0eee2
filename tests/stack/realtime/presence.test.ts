import { expect, test } from 'vitest'
import { Presence } from '../../../src/stack/realtime/presence.ts'

const present = () => new Presence<string>()

test('who tracks is there, under its key, with a reference', () => {
  const presence = present()
  const diff = presence.track('phone', 'ana', { typing: false })
  expect(diff).toEqual({ joins: { ana: { metas: [{ typing: false, phx_ref: expect.any(String) }] } }, leaves: {} })
  expect(presence.state()).toEqual(diff?.joins)
})

test('several channels share a key, and only what changed is told', () => {
  const presence = present()
  presence.track('phone', 'ana', { device: 'phone' })
  const diff = presence.track('laptop', 'ana', { device: 'laptop' })
  expect(diff?.joins.ana?.metas).toEqual([expect.objectContaining({ device: 'laptop' })])
  expect(presence.state().ana?.metas).toHaveLength(2)

  expect(presence.untrack('phone')?.leaves.ana?.metas).toEqual([expect.objectContaining({ device: 'phone' })])
  expect(presence.state().ana?.metas).toEqual([expect.objectContaining({ device: 'laptop' })])
})

test('an update joins anew and leaves as it was', () => {
  const presence = present()
  const before = presence.track('phone', 'ana', { typing: false })?.joins.ana?.metas[0]
  const diff = presence.track('phone', 'ana', { typing: true })
  expect(diff?.leaves.ana?.metas).toEqual([before])
  expect(diff?.joins.ana?.metas).toEqual([
    { typing: true, phx_ref: expect.not.stringMatching(before?.phx_ref ?? ''), phx_ref_prev: before?.phx_ref },
  ])
})

test('the same again changes nothing', () => {
  const presence = present()
  presence.track('phone', 'ana', { at: { room: 7 } })
  expect(presence.track('phone', 'ana', { at: { room: 7 } })).toBeUndefined()
})

test('who has left is nowhere, and does not leave twice', () => {
  const presence = present()
  presence.track('phone', 'ana', {})
  expect(presence.untrack('phone')?.leaves).toHaveProperty('ana')
  expect(presence.untrack('phone')).toBeUndefined()
  expect(presence.state()).toEqual({})
})

test('a key may be any text', () => {
  const presence = present()
  presence.track('phone', '__proto__', {})
  expect(JSON.stringify(presence.state())).toMatch(/^\{"__proto__":\{"metas":\[/)
})
