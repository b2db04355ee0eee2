import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'
import { demoPeople } from '../../src/commands/demo-people.ts'
import { projectRoot } from '../../src/stack/supabase-cli.ts'
import { connect } from '../support/people.ts'

test.each(demoPeople.emails)('%s signs in with the password of the banner', async (email) => {
  const client = connect()
  const { data, error } = await client.auth.signInWithPassword({ email, password: demoPeople.password })
  expect(error).toBeNull()
  expect(data.user?.email).toBe(email)
})

test('the people of the demo hotel see each other, and not the guest', async () => {
  const client = connect()
  await client.auth.signInWithPassword({ email: 'ana@grand-hotel.example', password: demoPeople.password })
  const { data } = await client.from('organizations').select('slug, organization_members(role, profiles(username))')
  expect(data).toEqual([
    {
      slug: 'grand-hotel',
      organization_members: expect.arrayContaining([
        { role: 'admin', profiles: { username: 'ana' } },
        { role: 'manager', profiles: { username: 'ben' } },
        { role: 'staff', profiles: { username: 'chloe' } },
      ]),
    },
  ])
})

test("the README's script of two people runs as it stands", async () => {
  const script = readFileSync(join(projectRoot, 'examples/two-people.mjs'), 'utf8')
  expect(readFileSync(join(projectRoot, 'README.md'), 'utf8')).toContain(`\`\`\`js\n${script}\`\`\``)

  const { url, publishableKey } = inject('stack')
  const { stdout } = await promisify(execFile)(process.execPath, [join(projectRoot, 'examples/two-people.mjs')], {
    env: { ...process.env, PARLEY_URL: url, PARLEY_KEY: publishableKey },
  })
  expect(stdout).toBe('Ana wrote: Hello Ben!\nMessages in the room: 1\n')
})
