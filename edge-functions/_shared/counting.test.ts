import { deepStrictEqual as equal, rejects } from 'node:assert'
import { counter } from './counting.ts'
import { Refusal } from './refusal.ts'

/** A database that counts when it is told to, and what it has counted. */
function database() {
  const counted: number[] = []
  const waiting: Array<(refusal?: Refusal) => void> = []
  const clock = { now: 1_000_000 }
  const count = counter(
    (_request, calls) =>
      new Promise((resolve, reject) => {
        waiting.push((refusal) => {
          if (refusal) return reject(refusal)
          counted.push(calls)
          resolve('me')
        })
      }),
    () => clock.now,
  )
  const call = (token = 'abc') =>
    count(new Request('http://localhost/', { headers: { authorization: `Bearer ${token}` } }))
  /** Answers what was asked first, and lets everybody go on who waited for it. */
  const answer = async (refusal?: Refusal) => {
    waiting.shift()?.(refusal)
    await new Promise((resolve) => setTimeout(resolve))
  }
  return { call, answer, counted, clock, asked: () => waiting.length }
}

const tooMany = new Refusal(429, 'too_many_requests', 'Slower.', { retryAfter: 1 })

Deno.test('the first call of a token waits to be counted, the next ones go on and are counted by ten', async () => {
  const { call, answer, counted, asked } = database()
  const first = call()
  await answer()
  equal([await first, counted], ['me', [1]])

  for (let calls = 0; calls < 9; calls++) await call()
  equal(asked(), 0)
  await call()
  equal(asked(), 1)
  await answer()
  equal(counted, [1, 10])
})

Deno.test('after ten seconds one call is counted beside what it does, after a minute before it', async () => {
  const { call, answer, counted, clock, asked } = database()
  const first = call()
  await answer()
  await first
  clock.now += 10_001
  await call()
  equal(asked(), 1)
  await answer()
  clock.now += 60_001
  const later = call()
  await answer()
  await later
  equal(counted, [1, 1, 1])
})

Deno.test('who is refused beside a call is refused at the next one, and owes what was answered', async () => {
  const { call, answer, counted } = database()
  const first = call()
  await answer()
  await first
  for (let calls = 0; calls < 10; calls++) await call()
  await answer(tooMany)
  for (let again = 0; again < 3; again++) {
    await Promise.all([rejects(call(), tooMany), answer(tooMany)])
  }
  const allowed = call()
  await answer()
  equal([await allowed, counted], ['me', [1, 11]])
})

Deno.test('who calls faster than is counted waits, and is not let through by a refusal', async () => {
  const { call, answer, counted, asked } = database()
  const first = call()
  await answer()
  await first
  const flood = Array.from({ length: 300 }, () => call())
  let through = 0
  for (const each of flood) {
    each.then(
      () => through++,
      () => undefined,
    )
  }
  await new Promise((resolve) => setTimeout(resolve))
  equal([asked(), through], [1, 19])
  await answer()
  equal(counted, [1, 10])
  while (asked() > 0) await answer(tooMany)
  equal((await Promise.allSettled(flood)).filter(({ status }) => status === 'rejected').length, 300 - through)
  equal(through <= 20, true)
})

Deno.test('a token that is no good is asked about each time, and a call without one never', async () => {
  const { call, answer, counted, asked } = database()
  const expired = new Refusal(401, 'not_signed_in', 'Please sign in first.')
  for (let again = 0; again < 2; again++) {
    await Promise.all([rejects(call(), expired), answer(expired)])
  }
  await rejects(call(''), expired)
  equal([counted, asked()], [[], 0])
})
