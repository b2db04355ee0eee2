import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Keys } from '../keys.ts'
import type { Caller, Service } from '../service.ts'
import { platformAnswer } from './answers.ts'
import type { FunctionConfig } from './config.ts'
import { functionEnvironment } from './environment.ts'
import { forward } from './forward.ts'
import { forwardedHeaders } from './forwarded-headers.ts'
import type { RouterOptions } from './protocol.ts'
import { type Runtime, startRuntime } from './runtime.ts'
import type { FunctionLog } from './session.ts'
import { refusal } from './verify-jwt.ts'

export interface FunctionsOptions {
  /** The project's folder: holds `deno.json` and `node_modules`; Deno's caches go to its `.parley/deno`. */
  root: string
  functions: FunctionConfig[]
  /** Where the stack is reached, without a slash at the end. */
  url: string
  /** Connection string of the database. */
  databaseUrl: string
  keys: Keys
  /** The project's own secrets, as read from its `.env`. */
  env: Record<string, string>
  log: FunctionLog
}

export interface Functions extends Service {
  /** The Deno process of the moment; undefined while it is being started again. */
  pid(): number | undefined
}

const prefix = '/functions/v1'

/**
 * Serves `/functions/v1`: the project's edge functions under Deno, as Supabase's Edge Runtime would.
 *
 * @throws when npm installed no Deno for this machine.
 */
export async function startFunctions(options: FunctionsOptions): Promise<Functions> {
  const { functions, keys, root, log } = options
  const runtime = await startRuntime({
    args: denoArguments(root, functions),
    cwd: root,
    env: environment(options),
    log,
  })
  const byName = new Map(functions.map((config) => [config.name, config]))

  return {
    async fetch(request, caller) {
      const path = new URL(request.url).pathname.slice(prefix.length)
      const config = byName.get(path.split('/')[1] ?? '')
      if (!config) return platformAnswer('NOT_FOUND')
      const refused = config.verifyJwt ? await refusal(request, keys.jwtSecret) : undefined
      return refused ?? (await call(runtime, config.name, request, caller))
    },
    pid: runtime.pid,
    close: runtime.close,
  }
}

async function call(runtime: Runtime, name: string, request: Request, caller: Caller): Promise<Response> {
  const { pathname, search } = new URL(request.url)
  const path = pathname.slice(prefix.length) + search
  const headers = forwardedHeaders(request, caller, prefix)

  let dead: number | undefined
  while (true) {
    let port: number
    try {
      port = await runtime.boot(name, dead)
    } catch {
      // Why it did not start is in the log.
      return platformAnswer('BOOT_ERROR')
    }
    try {
      return markFailure(await forward(request, { port, path, headers }))
    } catch (error) {
      runtime.forget(name)
      // The function ended between two requests, and nothing of this one has been read: one more try with a new one.
      const refused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
      if (!refused || dead !== undefined) return platformAnswer('WORKER_ERROR')
      dead = port
    }
  }
}

// Hosted Supabase marks every answer of the 5xx kind, so that a log can be searched for it.
function markFailure(response: Response): Response {
  if (response.status >= 500) response.headers.set('sb-error-code', 'EDGE_FUNCTION_ERROR')
  return response
}

function denoArguments(root: string, functions: FunctionConfig[]): string[] {
  const sources = [...new Set(functions.map(({ entrypoint }) => dirname(dirname(entrypoint))))].filter(existsSync)
  const own = fileURLToPath(new URL('.', import.meta.url))
  const modules = join(root, 'node_modules')
  const readable = [...sources, own, modules].filter(existsSync).flatMap((path) => [path, realpathSync(path)])
  const options: RouterOptions = {
    functions: functions.map(({ name, entrypoint }) => ({ name, entrypoint })),
    watched: sources,
  }
  return [
    'run',
    '--quiet',
    '--no-prompt',
    '--no-remote',
    '--cached-only',
    `--config=${join(root, 'deno.json')}`,
    // Hosted functions may call anywhere and read their whole environment, which holds only what is theirs.
    '--allow-net',
    '--allow-env',
    // A comma in a path is written twice.
    `--allow-read=${[...new Set(readable)].map((path) => path.replaceAll(',', ',,')).join(',')}`,
    // What hosted gives a function. Going over it ends Deno, which is then started again.
    '--v8-flags=--max-old-space-size=256',
    join(own, 'router.ts'),
    JSON.stringify(options),
  ]
}

function environment({ root, url, databaseUrl, keys, env, log }: FunctionsOptions): Record<string, string> {
  for (const name of Object.keys(env).filter((name) => name.startsWith('SUPABASE_'))) {
    log('functions', `${name} is not passed on: names starting with SUPABASE_ belong to the platform.`)
  }
  return {
    ...functionEnvironment({ url, databaseUrl, keys, secrets: env }),
    DENO_DIR: join(root, '.parley', 'deno'),
    DENO_NO_UPDATE_CHECK: '1',
    NO_COLOR: '1',
  }
}
