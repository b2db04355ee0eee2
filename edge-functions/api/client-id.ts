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
  const bytes = createHash('sha1').update(namespace).update(tempId).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
