import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { files, root } from '../support/pgtap-files.ts'
import { Ground } from './ground.ts'
import { type Mutant, policyMutants, refusalMutants, verdictMutants } from './mutants.ts'
import { unnoticed } from './unnoticed.ts'

// As many as vitest runs at a time.
const grounds = await Promise.all([Ground.open(), Ground.open()])
const [{ client }] = grounds as [Ground, Ground]

const texts = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]))
const red: string[] = []
const called = new Map<string, Set<string>>()
const seconds = new Map<string, number>()
await everyGround(files, async (ground, file) => {
  const start = performance.now()
  const signatures = await ground.calledBy(file)
  if (signatures) called.set(file, signatures)
  else red.push(relative(root, file))
  seconds.set(file, (performance.now() - start) / 1000)
})

test('with all rules in their place, all files are green', () => {
  expect(red).toEqual([])
})

const only = process.env.PARLEY_MUTANTS ?? ''
describe.concurrent.each([
  ['policies', await policyMutants(client)],
  ['verdicts', await verdictMutants(client)],
  ['refusals', await refusalMutants(client)],
])('%s', (_, mutants) => {
  test.each(mutants.filter(({ name }) => name.includes(only) && !(name in unnoticed)))('$name', async (mutant) => {
    const ground = grounds.pop() as Ground
    try {
      expect(await ground.firstRedWithout(mutant, likelyToNotice(mutant)), 'a file that goes red').toBeDefined()
    } finally {
      grounds.push(ground)
    }
  })
})

afterAll(async () => {
  // Else what went red may have gone red by what another mutant left.
  for (const ground of grounds) expect(await ground.firstRed([...called.keys()]), 'a file that is red').toBeUndefined()
  await Promise.all(grounds.map((ground) => ground.close()))
}, 300_000)

/** Those that name what is changed before the others, and the quick ones before the slow. */
function likelyToNotice(mutant: Mutant): string[] {
  const hits = (file: string) => mutant.words.filter((word) => texts.get(file)?.includes(word)).length
  return [...called.keys()]
    .filter((file) => !mutant.calls || called.get(file)?.has(mutant.calls))
    .sort((a, b) => hits(b) - hits(a) || (seconds.get(a) ?? 0) - (seconds.get(b) ?? 0))
}

async function everyGround<Item>(items: Item[], work: (ground: Ground, item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items]
  await Promise.all(
    grounds.map(async (ground) => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(ground, item)
    }),
  )
}
