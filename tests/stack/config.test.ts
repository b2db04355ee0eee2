import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readConfig } from '../../src/stack/config.ts'

function read(toml: string) {
  const root = mkdtempSync(join(tmpdir(), 'parley-config-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'supabase'))
  writeFileSync(join(root, 'supabase/config.toml'), toml)
  return readConfig(root)
}

test('what is not said is as with the Supabase CLI', () => {
  expect(read('project_id = "x"')).toEqual({
    port: 54321,
    databasePort: 54322,
    auth: {
      siteUrl: 'http://127.0.0.1:3000',
      redirectUrls: [],
      hook: undefined,
      jwtExpiry: 3600,
      minimumPasswordLength: 6,
      signUpsAllowed: true,
      anonymousAllowed: false,
    },
    fileSizeLimit: 50 * 1024 * 1024,
  })
})

test('what is said counts', () => {
  const config = read(`
    [api]
    port = 1
    [db]
    port = 2
    [storage]
    file_size_limit = "1.5KiB"
    [auth]
    site_url = "http://a.test"
    additional_redirect_urls = ["http://b.test"]
    jwt_expiry = 60
    minimum_password_length = 8
    enable_signup = false
    enable_anonymous_sign_ins = true
    [auth.hook.custom_access_token]
    enabled = true
    uri = "pg-functions://postgres/public/hook"`)
  expect(config).toEqual({
    port: 1,
    databasePort: 2,
    auth: {
      siteUrl: 'http://a.test',
      redirectUrls: ['http://b.test'],
      hook: 'pg-functions://postgres/public/hook',
      jwtExpiry: 60,
      minimumPasswordLength: 8,
      signUpsAllowed: false,
      anonymousAllowed: true,
    },
    fileSizeLimit: 1536,
  })
})

test.each([
  ['"20MB"', 20 * 1024 * 1024],
  ['1000', 1000],
  ['"7b"', 7],
])('a size of %s is %i bytes', (size, bytes) => {
  expect(read(`[storage]\nfile_size_limit = ${size}`).fileSizeLimit).toBe(bytes)
})

test('a size that is none is named', () => {
  expect(() => read('[storage]\nfile_size_limit = "big"')).toThrow('file_size_limit is a size like 50MiB, not big')
})
