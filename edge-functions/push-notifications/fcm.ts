import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { initializeApp } from 'firebase-admin/app'
import { getMessaging, type Messaging, type TokenMessage } from 'firebase-admin/messaging'
import { importPKCS8, SignJWT } from 'jose'
import { setting } from '../_shared/settings.ts'
import { within } from '../_shared/time-limit.ts'

/** How sending to one device ended. `gone`: the token is none, and never will be one again. */
export type Sent = { state: 'sent' } | { state: 'gone' } | { state: 'failed'; reason: string }

export type Send = (message: TokenMessage) => Promise<Sent>

const patienceMs = 10_000
let connected: Messaging | undefined

/** @throws one clear line when there is no service account. */
export function requireFcm(): Messaging {
  connected ??= connect()
  return connected
}

export const sendToFcm: Send = async (message) => {
  try {
    // The SDK's own time limit is longer, and followed by retries.
    await within(patienceMs, requireFcm().send(message))
    return { state: 'sent' }
  } catch (error) {
    const { code = '', message: text = '' } = error as { code?: string; message?: string }
    return isGone(code, text) ? { state: 'gone' } : { state: 'failed', reason: code || text.slice(0, 200) }
  }
}

/**
 * Only what FCM says of this one token. A wrong project or a wrong key looks alike for every token, and must not cost
 * anybody their pushes; and `invalid-argument` is also said of a message.
 */
function isGone(code: string, text: string): boolean {
  return (
    code === 'messaging/registration-token-not-registered' ||
    (code === 'messaging/invalid-argument' && /registration token/i.test(text))
  )
}

interface ServiceAccount {
  project_id: string
  client_email: string
  private_key: string
  token_uri: string
}

function connect(): Messaging {
  const account = serviceAccount()
  const baseUrl = Deno.env.get('FCM_BASE_URL')
  const Agent = baseUrl?.startsWith('http:') ? HttpAgent : HttpsAgent
  const app = initializeApp({
    projectId: account.project_id,
    // The SDK's own always asks Google itself, whatever the account's token_uri says.
    credential: { getAccessToken: () => accessToken(account) },
    // A new connection for each send would cost more than the send.
    httpAgent: new Agent({ keepAlive: true }),
  })
  const messaging = getMessaging(app)
  adapt(messaging, baseUrl)
  return messaging
}

// What JSON.parse says of a broken one would quote it.
function serviceAccount(): ServiceAccount {
  const text = setting('FCM_SERVICE_ACCOUNT')
  try {
    const account = JSON.parse(text) as Partial<ServiceAccount>
    const { project_id, client_email, private_key, token_uri } = account
    if (project_id && client_email && private_key && token_uri) return account as ServiceAccount
  } catch {
    // As with one that lacks something.
  }
  throw new Error('The secret FCM_SERVICE_ACCOUNT is no service account: the key file as one line of JSON is expected.')
}

interface HttpClient {
  send(request: { url: string }): Promise<unknown>
}

interface HttpFailure {
  response?: { status: number; isJson(): boolean; data: { error?: { details?: { '@type'?: string }[] } } }
}

// What 12.7.0 has no setting for stands around its client. FCM's address: an agent that connects elsewhere would do in Node,
// Deno 2.1 asks it for nothing. And it takes every 404 for a token that is gone, whoever says it.
function adapt(messaging: Messaging, baseUrl: string | undefined): void {
  const { httpClient } = (messaging as unknown as { messagingRequestHandler: { httpClient: HttpClient } })
    .messagingRequestHandler
  const send = httpClient.send.bind(httpClient)
  httpClient.send = async (request) => {
    const url = baseUrl ? new URL(new URL(request.url).pathname, baseUrl).href : request.url
    try {
      return await send({ ...request, url })
    } catch (error) {
      const { response } = error as HttpFailure
      const details = response?.status === 404 && response.isJson() ? (response.data.error?.details ?? []) : undefined
      const isOfFcm = details?.some((detail) => detail['@type']?.endsWith('google.firebase.fcm.v1.FcmError'))
      throw details && !isOfFcm ? new Error('FCM answered 404, and not of the token.') : error
    }
  }
}

async function accessToken(account: ServiceAccount): Promise<{ access_token: string; expires_in: number }> {
  const assertion = await new SignJWT({ scope: 'https://www.googleapis.com/auth/firebase.messaging' })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(account.client_email)
    .setAudience(account.token_uri)
    .setIssuedAt()
    .setExpirationTime('1h')
    // Not node:crypto's key: jose takes that for none on Deno 2.1.
    .sign(await importPKCS8(account.private_key, 'RS256'))
  const response = await fetch(account.token_uri, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
    signal: AbortSignal.timeout(patienceMs),
  })
  if (!response.ok) {
    await response.body?.cancel()
    throw new Error(`The token endpoint answered ${response.status}.`)
  }
  return await response.json()
}
