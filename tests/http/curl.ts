import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import type { Person } from '../support/people.ts'
import { type Answer, expectDescribed, type Method, tokenOf } from './http.ts'

const run = promisify(execFile)

/**
 * Runs a document's own curl command, as whoever has only that document would: in a shell, with the base URL and the token
 * filled in, and what else stands in `names` in place of the document's examples.
 */
export async function curl(who: Person, command: string, names: Record<string, string> = {}): Promise<Answer> {
  const token = await tokenOf(who)
  let filled = command
    .replace(/https?:\/\/[\w.-]+/, `${inject('stack').url}/functions/v1`)
    .replace(/YOUR_\w*TOKEN/, token)
  for (const [example, name] of Object.entries(names)) filled = filled.replaceAll(example, name)

  // The headers first, an empty line, then the body.
  const { stdout } = await run('sh', ['-c', `${filled} --silent --show-error --include`])
  const [head = '', ...rest] = stdout.split('\r\n\r\n')
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers = new Headers(lines.map((line) => line.split(/: (.*)/).slice(0, 2) as [string, string]))
  const answer = { status: Number(statusLine.split(' ')[1]), body: JSON.parse(rest.join('\r\n\r\n')), headers }

  const [, method = 'GET'] = /-X (\w+)/.exec(command) ?? []
  const [, path = ''] = /functions\/v1(\/api\/[^"'\s]+)/.exec(filled) ?? []
  await expectDescribed(method as Method, path, answer)
  return answer
}
