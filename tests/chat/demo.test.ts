import { expect, test } from 'vitest'
import { demoPeople } from '../../src/commands/demo-people.ts'
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
