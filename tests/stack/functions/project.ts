import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { readFunctions } from '../../../src/stack/functions/config.ts'
import { type Functions, startFunctions } from '../../../src/stack/functions/functions.ts'
import { localKeys } from '../../../src/stack/keys.ts'

const origin = 'http://127.0.0.1:54321'
const nodeModules = fileURLToPath(new URL('../../../node_modules', import.meta.url))

/** A project in a temporary folder, holding the given files and one `verify_jwt = false` function per entry file. */
export class Project {
  // Folders may be called so.
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "parley's functions, (ü) ")))
  readonly #lines: string[] = []
  readonly #waiting = new Set<() => void>()

  constructor(files: Record<string, string>) {
    symlinkSync(nodeModules, join(this.root, 'node_modules'))
    this.write('deno.json', '{ "nodeModulesDir": "manual", "workspace": ["./edge-functions/*"], "lock": false }')
    for (const [path, text] of Object.entries(files)) this.write(path, text)
    if (!files['supabase/config.toml']) this.write('supabase/config.toml', openFunctions(Object.keys(files)))
    onTestFinished(() => rmSync(this.root, { recursive: true, force: true }))
  }

  write(path: string, text: string): void {
    const file = join(this.root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  async start(env: Record<string, string> = {}): Promise<Functions> {
    const functions = await startFunctions({
      root: this.root,
      functions: readFunctions(this.root),
      url: origin,
      databaseUrl: 'postgresql://postgres:postgres@127.0.0.1:54322/postgres',
      keys: localKeys,
      env,
      log: (name, text) => {
        this.#lines.push(`${name}: ${text}`)
        for (const check of this.#waiting) check()
      },
    })
    onTestFinished(() => functions.close())
    return functions
  }

  get log(): string {
    return this.#lines.join('\n')
  }

  /** Resolves once the log from line `from` on matches. */
  logged(pattern: RegExp, from = 0): Promise<string> {
    return new Promise((resolve) => {
      const check = () => {
        const text = this.#lines.slice(from).join('\n')
        if (!pattern.test(text)) return
        this.#waiting.delete(check)
        resolve(text)
      }
      this.#waiting.add(check)
      check()
    })
  }

  get logLength(): number {
    return this.#lines.length
  }
}

function openFunctions(paths: string[]): string {
  const names = paths.flatMap((path) => /^edge-functions\/([^_/]+)\/index\.ts$/.exec(path)?.[1] ?? [])
  return names
    .map((name) => `[functions.${name}]\nverify_jwt = false\nentrypoint = "../edge-functions/${name}/index.ts"\n`)
    .join('\n')
}

export function call(functions: Functions, path: string, init: RequestInit = {}): Promise<Response> {
  const request = new Request(`${origin}/functions/v1/${path}`, init)
  return Promise.resolve(functions.fetch(request, { address: '192.0.2.7' }))
}

/** Calls until the answer's text is the one awaited: each try is a real request, the time between two is the runtime's. */
export async function callUntil(functions: Functions, path: string, text: string): Promise<Response> {
  while (true) {
    const response = await call(functions, path)
    if ((await response.clone().text()) === text) return response
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
