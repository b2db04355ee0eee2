import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Keys } from '../keys.ts'
import type { Version } from './serializer.ts'
import type { SocketOptions } from './socket.ts'
import { claimsOf, InvalidToken } from './token.ts'

/** Where clients connect. */
export const websocketPath = '/realtime/v1/websocket'

/** A connection is refused before it is one. */
export class HandshakeRefused extends Error {
  override readonly name = 'HandshakeRefused'
  readonly status: number

  /** @param error the text for the client; without it the answer is empty */
  constructor(status: number, error = '') {
    super(error)
    this.status = status
  }
}

/**
 * Who wants to connect, and how.
 * @throws HandshakeRefused
 */
export async function readHandshake(request: IncomingMessage, keys: Keys): Promise<SocketOptions> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost')
  if (pathname !== websocketPath) throw new HandshakeRefused(404, 'Not Found')
  const version = versionOf(searchParams.get('vsn') ?? '1.0.0')
  const headers = Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      name.startsWith('x-') && value !== undefined ? [[name, String(value)]] : [],
    ),
  )
  const credential = headers['x-api-key'] ?? searchParams.get('apikey')
  if (!credential) throw new HandshakeRefused(401, 'API key is missing')
  try {
    return { version, headers, claims: await claimsOf(credential, keys) }
  } catch (error) {
    if (!(error instanceof InvalidToken)) throw error
    // The connection is not told since when.
    throw new HandshakeRefused(401, error.isExpired ? 'Token has expired' : error.message)
  }
}

function versionOf(vsn: string): Version {
  if (/^1\.0\.\d+$/.test(vsn)) return 1
  if (/^2\.0\.\d+$/.test(vsn)) return 2
  throw new HandshakeRefused(403)
}

/** Answers a handshake that does not become a connection. */
export function refuse(socket: Duplex, { status, message }: HandshakeRefused): void {
  const body = message ? JSON.stringify({ error: message }) : ''
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      ...(body ? ['Content-Type: application/json'] : []),
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}
