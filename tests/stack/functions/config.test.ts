import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readFunctions } from '../../../src/stack/functions/config.ts'
import { denoBinary } from '../../../src/stack/functions/deno.ts'
import { Project } from './project.ts'

function configured(config: string) {
  const { root } = new Project({ 'supabase/config.toml': config })
  return { root, functions: () => readFunctions(root) }
}

test('unsaid, a function is on, verifies tokens and lies where the Supabase CLI expects it', () => {
  const { root, functions } = configured('[functions.plain]')
  const entrypoint = join(root, 'supabase/functions/plain/index.ts')
  expect(functions()).toEqual([{ name: 'plain', entrypoint, verifyJwt: true }])
})

test('an entrypoint is relative to supabase/, and what is switched off is left out', () => {
  const { root, functions } = configured(`
    project_id = "x"
    [functions.api]
    verify_jwt = false
    entrypoint = "../edge-functions/api/index.ts"
    import_map = "../edge-functions/api/deno.json"
    [functions.off]
    enabled = false`)
  const entrypoint = join(root, 'edge-functions/api/index.ts')
  expect(functions()).toEqual([{ name: 'api', entrypoint, verifyJwt: false }])
})

test('a project without functions has none', () => {
  expect(configured('project_id = "x"').functions()).toEqual([])
})

test('a mistake in config.toml is named with its line', () => {
  expect(configured('project_id = "x"\n[functions.api').functions).toThrow(/config\.toml is no valid TOML[\s\S]*2:/)
})

test('an import map that Deno would ignore here is refused', () => {
  const { functions } = configured('[functions.api]\nimport_map = "../import_map.json"')
  expect(functions).toThrow(/import_map of \[functions\.api\] must be the deno\.json beside its entrypoint/)
})

test('the executable of Deno is Deno itself, not a wrapper in Node', () => {
  expect(denoBinary()).toMatch(/@deno\/[^/]+\/deno$/)
  expect(execFileSync(denoBinary(), ['--version'], { encoding: 'utf8' })).toContain('deno 2.7.7')
})

const onHostedsSystem = process.platform === 'linux' && process.arch === 'x64'
test.runIf(onHostedsSystem)("hosted's version of Deno is there for tests", () => {
  expect(execFileSync(denoBinary('deno-hosted'), ['--version'], { encoding: 'utf8' })).toContain('deno 2.1.4')
})
