import { createPrivateKey } from 'node:crypto'
import { initializeApp } from 'firebase-admin/app'
import { getMessaging, type Messaging, type TokenMessage } from 'firebase-admin/messaging'
import { SignJWT } from 'jose'
import { setting } from '../_shared/settings.ts'
import { within } from '../_shared/time-limit.ts'

/** How sending to one device ended. `gone`: the token is none, and never will be one again. */
export type Sent = { state: 'sent' } | { state: 'gone'; reason: string } | { state: 'failed'; reason: string }

export type Send = (message: TokenMessage) => Promise<Sent>

const patienceMs = 10_000
let messaging: Messaging | undefined

export const sendToFcm: Send = async (message) => {
  try {
    messaging ??= connect()
    // A timeout of the SDK's own is followed by retries, which last longer than the function may.
    await within(patienceMs, messaging.send(message))
    return { state: 'sent' }
  } catch (error) {
    const { code = '', message: text = '' } = error as { code?: string; message?: string }
    return { state: isGone(code, text) ? 'gone' : 'failed', reason: code || text.slice(0, 200) }
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
  const account = JSON.parse(setting('FCM_SERVICE_ACCOUNT')) as ServiceAccount
  const app = initializeApp({
    projectId: account.project_id,
    // The SDK's own always asks Google itself, whatever the account's token_uri says.
    credential: { getAccessToken: () => accessToken(account) },
  })
  const connected = getMessaging(app)
  const baseUrl = Deno.env.get('FCM_BASE_URL')
  if (baseUrl) redirect(connected, baseUrl)
  return connected
}

// FCM's address stands in the SDK, and 12.7.0 has no setting for it. An agent that connects elsewhere would do in Node;
// Deno 2.1 and 2.7 ask it for nothing.
function redirect(messaging: Messaging, baseUrl: string): void {
  const { httpClient } = (messaging as unknown as { messagingRequestHandler: { httpClient: HttpClient } })
    .messagingRequestHandler
  const send = httpClient.send.bind(httpClient)
  httpClient.send = (request) => send({ ...request, url: new URL(new URL(request.url).pathname, baseUrl).href })
}

interface HttpClient {
  send(request: { url: string }): Promise<unknown>
}

async function accessToken(account: ServiceAccount): Promise<{ access_token: string; expires_in: number }> {
  const assertion = await new SignJWT({ scope: 'https://www.googleapis.com/auth/firebase.messaging' })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(account.client_email)
    .setAudience(account.token_uri)
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(createPrivateKey(account.private_key))
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
