import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * The client id of a message: the `temp_id` itself when it is a UUID, else one made of it in the sender's own namespace
 * (RFC 9562, version 5), so that the same text again is the same message.
 */
export function clientId(senderId: string, tempId: string): string {
  if (uuid.test(tempId)) return tempId
  const namespace = Buffer.from(senderId.replaceAll('-', ''), 'hex')
  const hex = createHash('sha1').update(namespace).update(tempId).digest('hex')
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join('-')
}
