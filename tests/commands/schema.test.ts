import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { projectRoot } from '../../src/stack/supabase-cli.ts'
import { createProject, type Project } from '../support/project.ts'

let project: Project
beforeAll(async () => {
  project = await createProject()
})
afterAll(() => project.remove())

test('npm run types writes the types and the reference of the migrations', async () => {
  const files = ['src/client/database.types.ts', 'docs/reference.md']
  for (const file of files) rmSync(join(project.dir, file))
  const { code, output } = await project.run('types')
  expect(code, output).toBe(0)
  for (const file of files) {
    expect(readFileSync(join(project.dir, file), 'utf8')).toBe(readFileSync(join(projectRoot, file), 'utf8'))
  }
})

test('npm run advisors has nothing to say of our schema', async () => {
  const { code, output } = await project.run('advisors')
  expect(output).toContain('The advisors have nothing to say.')
  expect(code).toBe(0)
})

test('npm run advisors names what is wrong, and what to do', async () => {
  const open = join(project.dir, 'supabase/migrations/20990101000000_open.sql')
  writeFileSync(open, 'create table public.open_to_all (id int primary key);\n')
  const { code, output } = await project.run('advisors')
  rmSync(open)
  expect(code).toBe(1)
  expect(output).toMatch(/ERROR RLS Disabled in Public: .*public\.open_to_all.*\n {2}https:/)
})
