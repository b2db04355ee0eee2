// An answer that takes longer than this is no help to whoever waits for it.
const patienceMs = 5000

/**
 * For uptime monitors: 200 when the chat can be reached through the REST API, 503 when not. It asks for no rows, which
 * still needs REST, the database and Parley's tables to be there.
 */
export async function health(request: Request): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return new Response(null, { status: 405, headers: { allow: 'GET, HEAD' } })
  }
  const healthy = await chatAnswers()
  // Anybody may ask, so the reason stays in the log.
  const body = { status: healthy ? 'ok' : 'unavailable' }
  return Response.json(body, { status: healthy ? 200 : 503, headers: { 'cache-control': 'no-store' } })
}

async function chatAnswers(): Promise<boolean> {
  try {
    const response = await fetch(`${Deno.env.get('SUPABASE_URL')}/rest/v1/chat_rooms?select=id&limit=0`, {
      // The secret key, because without a user token there is no table that may be read.
      headers: { apikey: secretKey() },
      signal: AbortSignal.timeout(patienceMs),
    })
    if (!response.ok) console.error(`REST answered ${response.status}: ${await response.text()}`)
    else await response.body?.cancel()
    return response.ok
  } catch (error) {
    console.error('REST cannot be reached:', error)
    return false
  }
}

function secretKey(): string {
  return JSON.parse(Deno.env.get('SUPABASE_SECRET_KEYS') ?? '{}').default
}
