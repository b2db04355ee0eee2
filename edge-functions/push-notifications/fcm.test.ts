import { deepStrictEqual as equal, throws } from 'node:assert'
import { generateKeyPairSync } from 'node:crypto'
import { createLocalJWKSet, exportJWK, importSPKI, jwtVerify } from 'jose'
import { requireFcm, sendToFcm } from './fcm.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

function fcmError(errorCode: string, status: number, message: string): Response {
  const details = [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }]
  return Response.json({ error: { code: status, message, status: errorCode, details } }, { status })
}

const answers: Record<string, () => Response> = {
  good: () => Response.json({ name: 'projects/hotel/messages/1' }),
  gone: () => fcmError('UNREGISTERED', 404, 'Requested entity was not found.'),
  'no token': () => fcmError('INVALID_ARGUMENT', 400, 'The registration token is not a valid FCM registration token'),
  'wrong message': () => fcmError('INVALID_ARGUMENT', 400, 'Android message is too big'),
  'wrong sender': () => fcmError('SENDER_ID_MISMATCH', 403, 'SenderId mismatch'),
  'no such address': () => new Response('<html>Not Found</html>', { status: 404 }),
  'no such project': () =>
    Response.json(
      { error: { code: 404, message: 'Requested entity was not found.', status: 'NOT_FOUND' } },
      { status: 404 },
    ),
  'wrong key': () => Response.json({ error: { code: 401, message: 'no', status: 'UNAUTHENTICATED' } }, { status: 401 }),
  'too many': () => fcmError('QUOTA_EXCEEDED', 429, 'Message rate quota exceeded.'),
}

// The same on both versions of Deno, over the wire: what works in one of them says nothing of the other.
Deno.test({
  name: 'staff.push: FCM is asked with a token of the service account, and drops a device for its own sake alone',
  // Connections are kept for the next call.
  sanitizeResources: false,
  sanitizeOps: false,
  async fn(t) {
    const asked = { tokens: 0, paths: new Set<string>(), authorization: new Set<string | null>() }
    const google = Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: () => {} }, async (request) => {
      const { pathname } = new URL(request.url)
      if (pathname === '/token') {
        asked.tokens += 1
        const assertion = new URLSearchParams(await request.text()).get('assertion') ?? ''
        const keys = createLocalJWKSet({
          keys: [{ ...(await exportJWK(await importSPKI(publicKey, 'RS256'))), alg: 'RS256' }],
        })
        await jwtVerify(assertion, keys, { issuer: 'parley@hotel', audience: request.url })
        return Response.json({ access_token: 'the-token', expires_in: 3600, token_type: 'Bearer' })
      }
      asked.paths.add(pathname)
      asked.authorization.add(request.headers.get('authorization'))
      const { message } = await request.json()
      return answers[message.token]?.() ?? new Response(null, { status: 500 })
    })
    const url = `http://127.0.0.1:${google.addr.port}`

    await t.step('without a service account it says so, and one that is broken is not quoted', () => {
      Deno.env.delete('FCM_SERVICE_ACCOUNT')
      throws(
        requireFcm,
        /^Error: The secret FCM_SERVICE_ACCOUNT is not set \(Firebase console.*\)\. See \.env\.example\.$/,
      )
      for (const broken of ['-----BEGIN PRIVATE KEY-----', '{"private_key":"secret"}', 'null']) {
        Deno.env.set('FCM_SERVICE_ACCOUNT', broken)
        throws(
          requireFcm,
          (error: Error) => /is no service account/.test(error.message) && !/secret"|BEGIN/.test(error.message),
        )
      }
    })

    Deno.env.set('FCM_BASE_URL', url)
    Deno.env.set(
      'FCM_SERVICE_ACCOUNT',
      JSON.stringify({
        project_id: 'hotel',
        client_email: 'parley@hotel',
        private_key: privateKey,
        token_uri: `${url}/token`,
      }),
    )
    const expected = {
      good: { state: 'sent' },
      gone: { state: 'gone' },
      'no token': { state: 'gone' },
      'wrong message': { state: 'failed', reason: 'messaging/invalid-argument' },
      'wrong sender': { state: 'failed', reason: 'messaging/mismatched-credential' },
      'no such address': { state: 'failed', reason: 'messaging/unknown-error' },
      'no such project': { state: 'failed', reason: 'FCM answered 404, and not of the token.' },
      'wrong key': { state: 'failed', reason: 'messaging/third-party-auth-error' },
      'too many': { state: 'failed', reason: 'messaging/message-rate-exceeded' },
    }
    for (const [token, result] of Object.entries(expected)) {
      await t.step(token, async () => equal(await sendToFcm({ token }), result))
    }
    await t.step('one access token was enough', () => {
      equal(asked.tokens, 1)
      equal([...asked.paths], ['/v1/projects/hotel/messages:send'])
      equal([...asked.authorization], ['Bearer the-token'])
    })
    await google.shutdown()
  },
})
