import { Hono } from 'hono'
import { cors } from 'hono/cors'
import type { AuthConfig } from '../config.ts'
import type { Keys } from '../keys.ts'
import type { Service } from '../service.ts'
import { adminRoutes } from './admin.ts'
import { adminLinkRoutes } from './admin-links.ts'
import { requireAdmin, requireApiKey } from './callers.ts'
import { AuthDatabase } from './database.ts'
import { AuthError, errorResponse, failure } from './errors.ts'
import { hookFunction } from './hook.ts'
import type { Mail } from './mail.ts'
import { Passwords } from './passwords.ts'
import { recoveryRoutes } from './recovery.ts'
import type { Env } from './request.ts'
import { type Auth, health, publicSettings } from './settings.ts'
import { signUpRoutes } from './signup.ts'
import { tokenRoutes } from './token.ts'
import { userRoutes } from './user.ts'
import { verifyRoutes } from './verify.ts'

export interface AuthOptions extends AuthConfig {
  /** As `supabase_auth_admin`, so that a project's triggers on `auth.users` run as they do in production. */
  databaseUrl: string
  keys: Keys
  /** The gateway's origin, `http://127.0.0.1:54321`. */
  externalUrl: string
  /** How hard hashing passwords is, 10 unless told otherwise. Less is for tests only. */
  bcryptCost?: number | undefined
  /** Takes the outgoing mail: nothing here sends any. */
  mail(mail: Mail): void
  /** Takes a line about what went wrong on our side. */
  log(line: string): void
}

/** `/auth/v1`: accounts and sessions, as Supabase Auth answers. @throws Error when the hook's address is no function's */
export async function startAuth(options: AuthOptions): Promise<Service> {
  const { keys, hook, log } = options
  if (hook) hookFunction(hook)
  const { siteUrl, redirectUrls, jwtExpiry, minimumPasswordLength, signUpsAllowed, anonymousAllowed } = options
  const auth: Auth = {
    db: new AuthDatabase(options.databaseUrl, log),
    passwords: new Passwords(options.bcryptCost ?? 10, minimumPasswordLength),
    jwtSecret: keys.jwtSecret,
    publicUrl: `${options.externalUrl}/auth/v1`,
    siteUrl,
    redirectUrls,
    hook,
    jwtExpiry,
    minimumPasswordLength,
    signUpsAllowed,
    anonymousAllowed,
    send: options.mail,
  }

  const app = new Hono<Env>().basePath('/auth/v1')
  app.use(cors({ origin: '*', exposeHeaders: ['X-Total-Count', 'Link', 'X-Supabase-Api-Version'] }))
  app.use(requireApiKey(keys))
  app.use('/admin/*', requireAdmin(auth, keys))
  app.use('/invite', requireAdmin(auth, keys))
  app.get('/health', (c) => c.json(health))
  app.get('/settings', (c) => c.json(publicSettings(auth)))
  app.get('/.well-known/jwks.json', (c) => c.json({ keys: [] }))
  app.get('/authorize', () => {
    throw new AuthError(400, 'validation_failed', 'Unsupported provider: provider is not enabled')
  })
  signUpRoutes(app, auth)
  tokenRoutes(app, auth)
  verifyRoutes(app, auth)
  recoveryRoutes(app, auth, keys)
  userRoutes(app, auth, keys)
  adminRoutes(app, auth)
  adminLinkRoutes(app, auth)
  app.notFound((c) => c.text('404 page not found', 404))
  app.onError((error, c) => {
    const known =
      error instanceof AuthError
        ? error
        : failure('Unexpected failure, please check server logs for more information', error)
    if (known.status >= 500) log(`auth: ${c.req.method} ${c.req.path}: ${known.message}: ${String(known.cause ?? '')}`)
    return errorResponse(known, c.req.raw)
  })

  return {
    fetch: (request, caller) => app.fetch(request, caller),
    close: () => auth.db.close(),
  }
}
