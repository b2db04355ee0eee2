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

const typesFile = 'src/client/database.types.ts'

test('npm run types writes the types of the migrations', async () => {
  rmSync(join(project.dir, typesFile))
  const { code, output } = await project.run('types')
  expect(code, output).toBe(0)
  expect(readFileSync(join(project.dir, typesFile), 'utf8')).toBe(readFileSync(join(projectRoot, typesFile), 'utf8'))
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
