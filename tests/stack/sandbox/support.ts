import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importPKCS8, SignJWT } from 'jose'
import { type Sandbox, startSandbox } from '../../../src/stack/sandbox/sandbox.ts'

export interface TestSandbox extends Sandbox {
  dir: string
  /** Lines the sandbox logged: faults of its own. */
  logged: string[]
  /** Calls `/sandbox<path>`, as the gateway would. */
  control(method: string, path: string, body?: unknown): Promise<Response>
  /** What `GET /sandbox<path>` answers. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they know is there, and fail when it is not
  look(path: string): Promise<any>
  /** Closes it and removes its folder. */
  remove(): Promise<void>
}

/** A sandbox of its own for one test file; `dir` reuses the folder of an earlier one. */
export async function createSandbox(dir?: string): Promise<TestSandbox> {
  const folder = dir ?? (await mkdtemp(join(tmpdir(), 'parley-sandbox-')))
  const logged: string[] = []
  const sandbox = await startSandbox({ dir: folder, log: (line) => logged.push(line) })
  const control = (method: string, path: string, body?: unknown) =>
    sandbox.fetch(
      new Request(`http://127.0.0.1:54321/sandbox${path}`, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      }),
    )
  return {
    ...sandbox,
    dir: folder,
    logged,
    control,
    look: async (path) => (await control('GET', path)).json(),
    async remove() {
      await sandbox.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A form with `params` and, when given, a part named `file`. */
export function form(params: Record<string, string | number>, file?: { bytes: Uint8Array; name: string }): FormData {
  const body = new FormData()
  for (const [name, value] of Object.entries(params)) body.append(name, String(value))
  if (file) body.append('file', new Blob([new Uint8Array(file.bytes)]), file.name)
  return body
}

/** Seconds since 1970. */
export function now(): number {
  return Math.floor(Date.now() / 1000)
}

interface AssertionOptions {
  /** Claims that replace those of a good assertion; `undefined` leaves one out. */
  claims?: Record<string, unknown>
  /** PKCS #8 PEM of another key. */
  key?: string
  header?: Record<string, unknown>
}

/** The assertion a Google client library signs for `account`. */
export async function signAssertion(
  { serviceAccount }: Sandbox['fcm'],
  options: AssertionOptions = {},
): Promise<string> {
  const { claims = {}, key = serviceAccount.private_key, header = {} } = options
  const good = {
    iss: serviceAccount.client_email,
    aud: serviceAccount.token_uri,
    scope: 'https://www.googleapis.com/auth/firebase.messaging',
    iat: now(),
    exp: now() + 3600,
  }
  return new SignJWT({ ...good, ...claims })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...header })
    .sign(await importPKCS8(key, 'RS256'))
}

export function requestToken(sandbox: Sandbox, assertion: string): Promise<Response> {
  const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }
  return fetch(sandbox.fcm.tokenUrl, { method: 'POST', body: new URLSearchParams(grant) })
}

export async function accessToken(sandbox: Sandbox, options?: AssertionOptions): Promise<string> {
  const answer = await requestToken(sandbox, await signAssertion(sandbox.fcm, options))
  const { access_token } = (await answer.json()) as { access_token: string }
  return access_token
}
