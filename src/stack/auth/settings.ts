import type { AuthDatabase } from './database.ts'
import type { Mail } from './mail.ts'
import type { Passwords } from './passwords.ts'

/** What every endpoint works with. */
export interface Auth {
  db: AuthDatabase
  passwords: Passwords
  /** Signs access tokens, HS256. */
  jwtSecret: string
  /** Claim `iss`, and where links in mails lead: the service's own public address. */
  publicUrl: string
  /** Where people end up after a link in a mail, unless the app asks for an allowed other place. */
  siteUrl: string
  redirectUrls: string[]
  /** The access token hook's address, `pg-functions://postgres/<schema>/<function>`. */
  hook: string | undefined
  send(mail: Mail): void
}

// The Supabase CLI's defaults: addresses are not confirmed, and whoever comes may be anonymous.
/** Seconds an access token is good for. */
export const jwtExpiry = 3600
/** Seconds a link or code from a mail is good for. */
export const otpExpiry = 3600
export const otpLength = 6
/** Seconds in which a refresh token may be used twice, by tabs that wake up together. */
export const reuseInterval = 10
export const minimumPasswordLength = 6

/** What `/settings` answers: the ways in that are open. */
export const publicSettings = {
  external: { anonymous_users: true, email: true, phone: false },
  disable_signup: false,
  mailer_autoconfirm: true,
  phone_autoconfirm: false,
  sms_provider: '',
  saml_enabled: false,
}

export const health = {
  version: 'parley',
  name: 'GoTrue',
  description: 'GoTrue is a user registration and authentication API',
}
