import { execFile } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { readFunctions } from '../../src/stack/functions/config.ts'
import { denoBinary } from '../../src/stack/functions/deno.ts'
import { projectRoot, supabaseCli } from '../../src/stack/supabase-cli.ts'

// `supabase functions deploy --use-api`, with the real CLI and a management API that keeps what it is given.

interface Packed {
  metadata: { name: string; entrypoint_path: string; import_map_path: string; verify_jwt: boolean }
  files: Map<string, string>
}

let api: Server
let dir: string
const packed = new Map<string, Packed>()

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'parley-deploy-'))
  api = createServer((request, response) => {
    answer(request).then(
      ({ status, body }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      (error) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
  // As a login would leave it; the profile says where the API is.
  vi.stubEnv('SUPABASE_ACCESS_TOKEN', `sbp_${'0'.repeat(40)}`)
  const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
  writeFileSync(
    join(dir, 'profile.yaml'),
    `name: test\napi_url: ${url}\ndashboard_url: ${url}\nproject_host: 127.0.0.1\n`,
  )
})

afterAll(async () => {
  vi.unstubAllEnvs()
  api.closeAllConnections()
  await new Promise((resolve) => api.close(resolve))
  rmSync(dir, { recursive: true, force: true })
})

async function answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
  if (!pathname.endsWith('/functions/deploy')) return { status: 200, body: pathname.endsWith('/functions') ? [] : {} }

  const headers = { 'content-type': request.headers['content-type'] ?? '' }
  const form = await new Response(Buffer.concat(chunks), { headers }).formData()
  const metadata = JSON.parse(String(form.get('metadata'))) as Packed['metadata']
  const files = form.getAll('file').filter((file) => typeof file !== 'string')
  const contents = files.map(async (file): Promise<[string, string]> => [file.name, await file.text()])
  packed.set(metadata.name, { metadata, files: new Map(await Promise.all(contents)) })
  const { name } = metadata
  const made = { id: name, slug: name, name, status: 'ACTIVE', version: 1, created_at: 0, updated_at: 0 }
  return { status: 201, body: { ...made, verify_jwt: metadata.verify_jwt } }
}

async function deploy(root: string): Promise<void> {
  const target = ['--project-ref', 'a'.repeat(20), '--profile', join(dir, 'profile.yaml')]
  const { code, stdout, stderr } = await supabaseCli(['functions', 'deploy', '--use-api', ...target], { root })
  expect(code, stdout + stderr).toBe(0)
}

/** What hosted would not find, when it makes the function of what it was given: nothing else of the project is there. */
async function notFound({ metadata, files }: Packed): Promise<string[]> {
  const root = mkdtempSync(join(dir, 'hosted-'))
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  // Hosted fetches packages; here they lie in this project's folder.
  symlinkSync(join(projectRoot, 'node_modules'), join(root, 'node_modules'))
  copyFileSync(join(projectRoot, 'package.json'), join(root, 'package.json'))
  const { stdout } = await promisify(execFile)(
    denoBinary(),
    [
      ...['info', '--json', '--no-remote', '--no-config', '--node-modules-dir=manual'],
      ...[`--import-map=${metadata.import_map_path}`, metadata.entrypoint_path],
    ],
    { cwd: root, env: { DENO_DIR: join(dir, 'deno'), DENO_NO_UPDATE_CHECK: '1' }, maxBuffer: 64 * 1024 * 1024 },
  )
  const { modules } = JSON.parse(stdout) as { modules: Module[] }
  const { imports = {} } = JSON.parse(files.get(metadata.import_map_path) ?? '{}') as {
    imports?: Record<string, string>
  }
  const own = modules.filter(({ specifier }) => specifier.startsWith('file:'))
  const named = own.flatMap(({ dependencies = [] }) => dependencies.map(({ specifier }) => specifier))
  return [
    ...own.flatMap(({ error }) => error ?? []),
    // The package.json beside it is ours alone: on hosted a package is known by the function's own import map.
    ...named.filter((specifier) => !/^(\.\.?\/|node:)/.test(specifier) && !isPinned(imports[specifier])),
  ]
}

interface Module {
  specifier: string
  error?: string
  dependencies?: { specifier: string }[]
}

function isPinned(target: string | undefined): boolean {
  return /^npm:(@[\w-]+\/)?[\w.-]+@\d+\.\d+\.\d+(\/|$)/.test(target ?? '')
}

function copyOfProject(): string {
  const root = mkdtempSync(join(dir, 'project-'))
  for (const part of ['supabase/config.toml', 'edge-functions', 'deno.json']) {
    cpSync(join(projectRoot, part), join(root, part), { recursive: true })
  }
  return root
}

test('every function is deployed with all that it imports, and with its verify_jwt', { timeout: 120_000 }, async () => {
  packed.clear()
  await deploy(copyOfProject())
  const functions = readFunctions(projectRoot)
  expect([...packed.keys()].sort()).toEqual(functions.map(({ name }) => name).sort())
  for (const { name, verifyJwt } of functions) {
    const one = packed.get(name) as Packed
    expect(one.metadata.verify_jwt, name).toBe(verifyJwt)
    expect(await notFound(one), name).toEqual([])
    expect([...one.files.keys()].filter((path) => path.endsWith('.test.ts'))).toEqual([])
  }
})

test('what is left out is noticed: a file, and a package that only another function names', {
  timeout: 120_000,
}, async () => {
  packed.clear()
  const root = copyOfProject()
  writeFileSync(
    join(root, 'supabase/config.toml'),
    '[functions.health]\nverify_jwt = false\nentrypoint = "../edge-functions/health/index.ts"\n',
  )
  writeFileSync(
    join(root, 'edge-functions/health/index.ts'),
    `import { z } from 'zod'\nimport { absent } from './absent.ts'\nDeno.serve(() => Response.json([z, absent]))\n`,
  )
  await deploy(root)
  const missing = await notFound(packed.get('health') as Packed)
  expect(missing).toEqual([expect.stringContaining('absent.ts'), 'zod'])
})
