import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { files, root } from '../support/pgtap-files.ts'
import { Ground } from './ground.ts'
import { type Mutant, policyMutants, refusalMutants, triggerMutants, verdictMutants } from './mutants.ts'
import { unnoticed } from './unnoticed.ts'

// As many as vitest runs at a time.
const grounds = await Promise.all([Ground.open(), Ground.open()])
const [{ client }] = grounds as [Ground, Ground]

const texts = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]))
const red: string[] = []
const used = new Map<string, Set<string>>()
const seconds = new Map<string, number>()
await everyGround(files, async (ground, file) => {
  const start = performance.now()
  const names = await ground.usedBy(file)
  if (names) used.set(file, names)
  else red.push(relative(root, file))
  seconds.set(file, (performance.now() - start) / 1000)
})

test('with all rules in their place, all files are green', () => {
  expect(red).toEqual([])
})

const kinds = [
  ['policies', await policyMutants(client)],
  ['verdicts', await verdictMutants(client)],
  ['refusals', await refusalMutants(client)],
  ['triggers', await triggerMutants(client)],
] as const

test('what goes unnoticed is still a rule', () => {
  const names = kinds.flatMap(([, mutants]) => mutants.map(({ name }) => name))
  expect(names).toEqual(expect.arrayContaining(Object.keys(unnoticed)))
})

// PARLEY_MUTANTS=verdict_send npm run test:mutation takes only those away that have this in their name.
const only = process.env.PARLEY_MUTANTS ?? ''
describe.concurrent.each(kinds)('%s', (_, mutants) => {
  const noticeable = mutants.filter(({ name }) => name.includes(only) && !(name in unnoticed))
  test.each(noticeable.map((mutant) => [mutant.name, mutant] as const))('%s', async (_, mutant) => {
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
  for (const ground of grounds) expect(await ground.firstRed([...used.keys()]), 'a file that is red').toBeUndefined()
  await Promise.all(grounds.map((ground) => ground.close()))
}, 300_000)

/** Those that use or name what is changed; the ones that do so most, and the quick ones, before the others. */
function likelyToNotice({ of, words }: Mutant): string[] {
  const hits = (file: string) =>
    Number(used.get(file)?.has(of)) + words.filter((word) => texts.get(file)?.includes(word)).length
  return [...used.keys()]
    .filter((file) => hits(file) > 0)
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
