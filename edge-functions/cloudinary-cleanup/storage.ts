import type { Database } from '../_shared/database.ts'

/**
 * Removes files from the bucket; nothing happens to those that are not there. Through Storage's API, because it alone
 * removes the bytes: a row deleted in SQL leaves them. With the service's rights, because nobody else has that right.
 */
export async function removeFromStorage(names: string[], service: Database): Promise<void> {
  const response = await service.fetch('/storage/v1/object/chat-attachments', {
    method: 'DELETE',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prefixes: names }),
  })
  await response.body?.cancel()
  if (!response.ok) throw new Error(`Storage answered ${response.status}.`)
}
