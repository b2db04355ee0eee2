import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'smol-toml'

/** What the local stack takes from `[auth]` in `supabase/config.toml`. */
export interface AuthConfig {
  siteUrl: string
  redirectUrls: string[]
  /** `pg-functions://…` of the custom access token hook, when it is switched on. */
  hook: string | undefined
}

interface Document {
  auth?: {
    site_url?: string
    additional_redirect_urls?: string[]
    hook?: { custom_access_token?: { enabled?: boolean; uri?: string } }
  }
}

/** @throws when the file is missing or no TOML */
export function readAuthConfig(root: string): AuthConfig {
  const { auth = {} } = parse(readFileSync(join(root, 'supabase', 'config.toml'), 'utf8')) as Document
  const hook = auth.hook?.custom_access_token
  return {
    siteUrl: auth.site_url ?? 'http://127.0.0.1:3000',
    redirectUrls: auth.additional_redirect_urls ?? [],
    hook: hook?.enabled ? hook.uri : undefined,
  }
}
