import { createHash, randomUUID } from 'node:crypto'
import type { Db } from './database.ts'
import { AuthError, invalid, userBanned } from './errors.ts'
import { sameText } from './one-time-tokens.ts'
import { type Body, text } from './request.ts'
import { type Device, type SessionJson, startSession } from './sessions.ts'
import type { Auth } from './settings.ts'
import { findUserById, isBanned } from './users.ts'

/** Seconds from asking for a mail to trading its code. */
const flowExpiry = 300

/** A hashed secret of the app that asks for a mail: only who knows the secret can use what the link leads to. */
export interface Challenge {
  challenge: string
  method: 's256' | 'plain'
}

/** @throws AuthError `validation_failed` when only one of the two fields is there */
export function challengeOf(body: Body): Challenge | undefined {
  const challenge = text(body, 'code_challenge')
  const method = text(body, 'code_challenge_method').toLowerCase()
  if (!challenge && !method) return undefined
  if (!challenge || !/^[A-Za-z0-9._~-]{43,128}$/.test(challenge)) {
    throw invalid('code challenge has to be between 43 and 128 characters long')
  }
  if (method !== 's256' && method !== 'plain') throw invalid('PKCE flow requires code_challenge_method')
  return { challenge, method }
}

export async function rememberFlow(
  tx: Db,
  userId: string,
  { challenge, method }: Challenge,
  type: string,
): Promise<void> {
  await tx.query(
    `insert into auth.flow_state (id, user_id, authentication_method, provider_type, code_challenge, code_challenge_method)
    values ($1, $2, $3, $3, $4, $5)`,
    [randomUUID(), userId, type, challenge, method],
  )
}

/** A code for the app, in place of a session in the address bar. */
export async function issueCode(tx: Db, userId: string, type: string): Promise<string> {
  const code = randomUUID()
  const [flow] = await tx.query(
    `update auth.flow_state set auth_code = $3, auth_code_issued_at = now(), updated_at = now()
    where id = (
      select id from auth.flow_state where user_id = $1 and authentication_method = $2 order by created_at desc limit 1
    )
    returning id`,
    [userId, type, code],
  )
  if (!flow) throw new AuthError(400, 'flow_state_not_found', 'No associated flow state found.')
  return code
}

/** Trades the code and the app's secret for a session, once. */
export async function exchangeCode(auth: Auth, code: string, verifier: string, device: Device): Promise<SessionJson> {
  if (!code || !verifier) throw invalid('invalid request: both auth code and code verifier should be non-empty')
  return auth.db.transaction(async (tx) => {
    const [flow] = await tx.query<{
      id: string
      user_id: string
      code_challenge: string
      code_challenge_method: Challenge['method']
      expired: boolean
    }>(
      `select *, created_at + make_interval(secs => $2) < now() as expired from auth.flow_state
      where auth_code = $1 for update`,
      [code, flowExpiry],
    )
    const user = flow && (await findUserById(tx, flow.user_id))
    if (!flow || !user) {
      throw new AuthError(404, 'flow_state_not_found', 'invalid flow state, no valid flow state found')
    }
    if (flow.expired) {
      throw new AuthError(422, 'flow_state_expired', 'invalid flow state, flow state has expired')
    }
    const shown =
      flow.code_challenge_method === 's256' ? createHash('sha256').update(verifier).digest('base64url') : verifier
    if (!sameText(shown, flow.code_challenge)) {
      throw new AuthError(400, 'bad_code_verifier', 'code challenge does not match previously saved code verifier')
    }
    if (isBanned(user)) throw userBanned(400)
    await tx.query('delete from auth.flow_state where id = $1', [flow.id])
    return startSession(auth, tx, user, 'otp', device)
  })
}
