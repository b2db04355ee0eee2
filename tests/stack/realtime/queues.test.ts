import { expect, test, vi } from 'vitest'
import { Queues } from '../../../src/stack/realtime/queues.ts'

function queues() {
  const errors: unknown[] = []
  const onIdle = vi.fn()
  return { errors, onIdle, queues: new Queues((key, error) => errors.push([key, error]), onIdle) }
}

test('a job runs at once when nothing is under way', () => {
  const job = vi.fn()
  queues().queues.run('den', job)
  expect(job).toHaveBeenCalled()
})

test('jobs of one key run in order, those of others meanwhile', async () => {
  const { queues: q, onIdle } = queues()
  const order: string[] = []
  let finish = () => {}
  const first = new Promise<void>((resolve) => {
    finish = resolve
  })
  q.run('den', () => first.then(() => void order.push('den 1')))
  q.run('den', () => void order.push('den 2'))
  q.run('lounge', () => void order.push('lounge'))
  expect(order).toEqual(['lounge'])
  expect(q.length).toBe(1)

  finish()
  await vi.waitFor(() => expect(order).toEqual(['lounge', 'den 1', 'den 2']))
  expect(q.length).toBe(0)
  expect(onIdle).toHaveBeenCalledOnce()
})

test('a job that fails does not keep the next from running', async () => {
  const { queues: q, errors } = queues()
  const next = vi.fn()
  q.run('den', () => Promise.reject(new Error('later')))
  q.run('den', next)
  q.run('lounge', () => {
    throw new Error('at once')
  })
  await vi.waitFor(() => expect(next).toHaveBeenCalled())
  expect(errors).toEqual([
    ['lounge', new Error('at once')],
    ['den', new Error('later')],
  ])
})
