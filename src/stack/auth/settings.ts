import type { AuthConfig } from '../config.ts'
import type { AuthDatabase } from './database.ts'
import type { Mail } from './mail.ts'
import type { Passwords } from './passwords.ts'

/** What every endpoint works with. */
export interface Auth extends AuthConfig {
  db: AuthDatabase
  passwords: Passwords
  /** Signs access tokens, HS256. */
  jwtSecret: string
  /** Claim `iss`, and where links in mails lead: the service's own public address. */
  publicUrl: string
  send(mail: Mail): void
}

/** Seconds a link or code from a mail is good for. */
export const otpExpiry = 3600
export const otpLength = 6
/** Seconds in which a refresh token may be used twice, by tabs that wake up together. */
export const reuseInterval = 10

/** What `/settings` answers: the ways in that are open. As with the Supabase CLI, addresses are not confirmed. */
export function publicSettings({ anonymousAllowed, signUpsAllowed }: Auth) {
  return {
    external: { anonymous_users: anonymousAllowed, email: true, phone: false },
    disable_signup: !signUpsAllowed,
    mailer_autoconfirm: true,
    phone_autoconfirm: false,
    sms_provider: '',
    saml_enabled: false,
  }
}

export const health = {
  version: 'parley',
  name: 'GoTrue',
  description: 'GoTrue is a user registration and authentication API',
}
