const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * The client id that the HTTP door too makes of a `temp_id`: itself when it is a UUID, else one of its sender's own
 * namespace (RFC 9562, version 5). A message is sent once, whichever way it is tried again.
 */
export async function clientIdOf(senderId: string, tempId: string): Promise<string> {
  if (uuid.test(tempId)) return tempId
  const namespace = Uint8Array.from(senderId.replaceAll('-', '').match(/../g) ?? [], (byte) =>
    Number.parseInt(byte, 16),
  )
  const named = new Uint8Array([...namespace, ...new TextEncoder().encode(tempId)])
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-1', named)).slice(0, 16)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
