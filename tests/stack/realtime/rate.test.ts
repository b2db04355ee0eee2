import { afterEach, expect, test, vi } from 'vitest'
import { Rate } from '../../../src/stack/realtime/rate.ts'

afterEach(() => vi.useRealTimers())

test('a burst is fine as long as the average of the minute holds', () => {
  const rate = Rate.perSecond(1)
  expect(rate.add(60)).toBe(true)
  expect(rate.add()).toBe(false)
})

test('what is older than the window is forgotten', () => {
  vi.useFakeTimers()
  const rate = new Rate(5, 30_000)
  expect(rate.add(5)).toBe(true)
  vi.advanceTimersByTime(25_000)
  expect(rate.add()).toBe(false)
  vi.advanceTimersByTime(5_000)
  expect(rate.add(4)).toBe(true)
  vi.advanceTimersByTime(3_600_000)
  expect(rate.add(5)).toBe(true)
})

test('no limit is no limit', () => {
  expect(Rate.perSecond(Number.POSITIVE_INFINITY).add(1e9)).toBe(true)
})
