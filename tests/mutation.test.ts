import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Ground } from './mutation/ground.ts'
import { type Mutant, policyMutants, refusalMutants, triggerMutants, verdictMutants } from './mutation/mutants.ts'
import { root } from './support/pgtap-files.ts'

// `npm run test:mutation` takes every rule away in turn. Here some are, of each kind one or two, to prove that it runs.
let ground: Ground
let mutants: Mutant[]

beforeAll(async () => {
  ground = await Ground.open()
  mutants = []
  for (const mutantsOf of [policyMutants, verdictMutants, refusalMutants, triggerMutants])
    mutants.push(...(await mutantsOf(ground.client)))
})

afterAll(() => ground.close())

test.each([
  [
    'alter policy "Members read their rooms" on public.chat_rooms using, without (id = ANY',
    'rooms/only_members_see_a_room.test.sql',
  ],
  [
    'alter policy "Members see the files of messages they may see" on public.message_attachments using, without (NOT',
    'isolation/what_hangs_on_a_message.test.sql',
  ],
  [
    'alter policy "Users block for themselves" on public.user_blocks with check, without (blocker_id',
    'isolation/forgeries.test.sql',
  ],
  ['alter policy "Nobody reads the limits past private.limit_of" on private.limits', 'isolation/forgeries.test.sql'],
  ['private.verdict_manage(uuid,uuid) allows everything', 'groups/roles.test.sql'],
  ['private.my_room_ids() allows everything', 'rooms/only_members_see_a_room.test.sql'],
  ["private.set_member_role(uuid,uuid,text) without perform private.refuse('last_admin');", 'groups/roles.test.sql'],
  ['public.message_audit without the trigger refuse_change', 'deleting/audit.test.sql'],
])('%s', async (start, file) => {
  const mutant = mutants.find(({ name }) => name.startsWith(start))
  if (!mutant) throw new Error('There is no such rule any more: choose another one.')
  const files = [join(root, file)]
  const red = await ground.firstRedWithout(mutant, files)
  expect(red && relative(root, red), 'without the rule').toBe(file)
  expect(await ground.firstRed(files), 'with it').toBeUndefined()
})
