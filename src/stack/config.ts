import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'smol-toml'

/** What the local stack takes from `supabase/config.toml`, with the Supabase CLI's defaults. The functions' part is in functions/config.ts. */
export interface Config {
  port: number
  databasePort: number
  auth: AuthConfig
  /** The most that a file in Storage may have, in bytes. */
  fileSizeLimit: number
}

export interface AuthConfig {
  /** Where people end up after a link in a mail, unless the app asks for an allowed other place. */
  siteUrl: string
  /** The other places; `*` and `**` are patterns. */
  redirectUrls: string[]
  /** `pg-functions://postgres/<schema>/<function>` of the custom access token hook, when it is switched on. */
  hook: string | undefined
  /** Seconds an access token is good for. */
  jwtExpiry: number
  minimumPasswordLength: number
  /** Whether who comes may make an account. Without it only admins make some. */
  signUpsAllowed: boolean
  anonymousAllowed: boolean
}

interface Document {
  api?: { port?: number }
  db?: { port?: number }
  storage?: { file_size_limit?: string | number }
  auth?: {
    site_url?: string
    additional_redirect_urls?: string[]
    jwt_expiry?: number
    minimum_password_length?: number
    enable_signup?: boolean
    enable_anonymous_sign_ins?: boolean
    hook?: { custom_access_token?: { enabled?: boolean; uri?: string } }
  }
}

/** @throws when the file is missing or no TOML, or a size is none */
export function readConfig(root: string): Config {
  const { api, db, storage, auth = {} } = parse(readFileSync(join(root, 'supabase', 'config.toml'), 'utf8')) as Document
  const hook = auth.hook?.custom_access_token
  return {
    port: api?.port ?? 54321,
    databasePort: db?.port ?? 54322,
    auth: {
      siteUrl: auth.site_url ?? 'http://127.0.0.1:3000',
      redirectUrls: auth.additional_redirect_urls ?? [],
      hook: hook?.enabled ? hook.uri : undefined,
      jwtExpiry: auth.jwt_expiry ?? 3600,
      minimumPasswordLength: auth.minimum_password_length ?? 6,
      signUpsAllowed: auth.enable_signup ?? true,
      anonymousAllowed: auth.enable_anonymous_sign_ins ?? false,
    },
    fileSizeLimit: bytes(storage?.file_size_limit ?? '50MiB'),
  }
}

const units = { b: 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 }

// As the CLI reads sizes: `MB` and `MiB` are the same to it, 1024 squared.
function bytes(size: string | number): number {
  const [, number, unit = 'b'] = /^(\d+(?:\.\d+)?) ?([kmg]i?b|b)?$/i.exec(String(size)) ?? []
  if (!number) throw new Error(`supabase/config.toml: file_size_limit is a size like 50MiB, not ${size}.`)
  const binary = unit.toLowerCase().replace(/^([kmg])b$/, '$1ib')
  return Math.round(Number(number) * units[binary as keyof typeof units])
}
