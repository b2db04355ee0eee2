import type { VarsContext } from '@supabase/lite'
import type { Setting } from './transaction.ts'

/** Who a request runs as, in the shape @supabase/lite hands it over. */
interface CallerVars {
  auth?: { role?: unknown; uid?: unknown; jwt?: unknown }
}

/** The role named by the caller's key or token. */
export function callerRole(vars: VarsContext): string {
  // A token may hold anything, also a number: Postgres then says that there is no such role.
  return String((vars as CallerVars).auth?.role || 'anon')
}

/** What policies and functions may ask about the caller: `auth.uid()`, `auth.jwt()` and friends read these. */
export function callerSettings(vars: VarsContext): Setting[] {
  const { uid, jwt } = (vars as CallerVars).auth ?? {}
  const role = callerRole(vars)
  return [
    ['role', role],
    ['request.jwt.claims', JSON.stringify(jwt ?? { role })],
    ['request.jwt.claim.sub', String(uid ?? '')],
    ['request.jwt.claim.role', role],
  ]
}
