import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { isRoutine } from '../../src/stack/functions/routine.ts'
import { freePort } from '../../src/stack/postgres/ports.ts'
import { startStack } from '../../src/stack/stack.ts'
import { projectRoot } from '../../src/stack/supabase-cli.ts'

declare module 'vitest' {
  interface ProvidedContext {
    stack: { url: string; databaseUrl: string; publishableKey: string; secretKey: string }
  }
}

/** One stack for all end-to-end tests, on free ports and with its data in the system's temporary folder. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = mkdtempSync(join(tmpdir(), 'parley-chat-'))
  const lines: string[] = []
  const stack = await startStack({
    root: projectRoot,
    dir,
    port: await freePort(),
    databasePort: await freePort(),
    step: () => {},
    warn: (what) => console.warn(what),
    log: (line) => {
      if (!isRoutine(line)) lines.push(line)
    },
    mail: () => {},
    // Hashing passwords as hard as production would cost the suite more than everything else.
    bcryptCost: 4,
  })
  const { url, databaseUrl, publishableKey, secretKey } = stack
  project.provide('stack', { url, databaseUrl, publishableKey, secretKey })
  return async () => {
    await stack.close()
    rmSync(dir, { recursive: true, force: true })
    if (lines.length) console.log(`The stack had to say:\n${lines.join('\n')}`)
  }
}
