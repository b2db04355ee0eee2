import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { readFunctions } from '../../../src/stack/functions/config.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const folders = readdirSync(join(root, 'edge-functions'), { withFileTypes: true }).filter((entry) =>
  entry.isDirectory(),
)
const names = folders.map(({ name }) => name).filter((name) => !name.startsWith('_'))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

test('every function has its entrypoint and says in config.toml whether it verifies tokens', () => {
  const sections = parse(read('supabase/config.toml')).functions as Record<string, object>
  const configured = readFunctions(root)

  expect(configured.map(({ name }) => name).sort()).toEqual(names.sort())
  for (const { name, entrypoint } of configured) {
    expect(existsSync(entrypoint), entrypoint).toBe(true)
    // Unset, the CLI leaves the field out when it deploys.
    expect(sections[name], name).toHaveProperty('verify_jwt')
  }
})

describe.each(folders.map(({ name }) => name))('%s', (name) => {
  test('has a deno.json, where its imports are looked up here and on hosted', () => {
    expect(existsSync(join(root, 'edge-functions', name, 'deno.json'))).toBe(true)
  })

  test('imports the versions that package-lock.json installs', () => {
    const { imports = {} } = JSON.parse(read(`edge-functions/${name}/deno.json`)) as {
      imports?: Record<string, string>
    }
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { version: string }> }
    for (const specifier of Object.values(imports).filter((target) => target.startsWith('npm:'))) {
      const [, pinned, version] = /^npm:(@?[^@]+)@([^/]+)/.exec(specifier) ?? []
      expect(version, specifier).toBe(packages[`node_modules/${pinned}`]?.version)
    }
  })
})
