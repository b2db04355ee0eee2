import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, test } from 'vitest'
import { freePort } from '../../src/stack/postgres/ports.ts'
import { projectRoot } from '../../src/stack/supabase-cli.ts'

/** What each example prints. The documentation shows pieces of them: see tests/docs.test.ts. */
const examples = {
  'two-people': ['Ana wrote: Hello Ben!', 'Messages in the room: 1'],
  chat: [
    'Page: Room 204 needs towels.',
    'Page before it: Good morning! The lift is repaired.',
    'Rows: 1 by Ana, 2 by Ana',
    'Unread: 2',
    'Read by Ben: true',
    'Restored: The lift works again. 👍',
    'Found: Room 204 needs towels.',
    'Ben may send: true',
    'Refused: 403 blocked',
  ],
  live: [
    'Ana is online',
    'Ben sees Ana online: true',
    'Ana is typing: true',
    'Badge: 1',
    'Badge: 0',
    'Caught up: Hello?',
  ],
  'guest-stay': [
    'Maria Lopez: Can I have my shirt cleaned?',
    'Ben: Of course. Which one?',
    'shirt.txt: A white one with blue stripes.',
    'Ben sees: [Message deleted]',
    'Too late: guest_window_over',
    'Maria is out: not_a_member, not_a_member, wrong_code',
    'The hotel keeps 5 messages, and reads: delete',
  ],
  hotel: ['Maria Lopez: Towels, please (1 unread)', 'The guest: not_a_member. The hotel keeps 1 message.'],
  files: ['menu.txt: Soup, then fish.', 'An archive of both: application/zip'],
}

test.each(Object.entries(examples))('examples/%s.mjs runs as it stands', async (name, lines) => {
  const { url, publishableKey, secretKey } = inject('stack')
  const { stdout } = await promisify(execFile)(process.execPath, [join(projectRoot, `examples/${name}.mjs`)], {
    env: { ...process.env, PARLEY_URL: url, PARLEY_KEY: publishableKey, PARLEY_SECRET_KEY: secretKey },
    timeout: 25_000,
  })
  expect(stdout.trim().split('\n')).toEqual(lines)
})

test.each(Object.keys(examples))('examples/%s.mjs says in one line what to do when no stack runs', async (name) => {
  const nowhere = `http://127.0.0.1:${await freePort()}`
  const run = promisify(execFile)(process.execPath, [join(projectRoot, `examples/${name}.mjs`)], {
    env: { ...process.env, PARLEY_URL: nowhere },
  })
  const { code, stdout, stderr } = await run.catch((error) => error)
  expect([code, stdout]).toEqual([1, ''])
  expect(
    stderr
      .trim()
      .split('\n')
      .filter((line: string) => !line.includes('Node.js 20')),
  ).toEqual([`No stack answers at ${nowhere}. Start one with npm start, or say where it is with PARLEY_URL.`])
})

test("the README's script is examples/two-people.mjs", () => {
  const script = readFileSync(join(projectRoot, 'examples/two-people.mjs'), 'utf8')
  expect(readFileSync(join(projectRoot, 'README.md'), 'utf8')).toContain(`\`\`\`js\n${script}\`\`\``)
})
