/** Why nothing is heard, in a WebSocket's words: the token is no good, the room is none of mine, or nobody answers. */
export function closeCodeOf({ message = '', code = '' }: { message?: string; code?: string }): 4401 | 4404 | 1006 {
  if (/token|jwt/i.test(message) || code === '42501' || code.startsWith('PGRST3')) return 4401
  return /^(PT40|22)/.test(code) ? 4404 : 1006
}

/** Until somebody answers, every 5 seconds; `failed` tells whether to go on. @throws what an answer refuses */
export async function retrying<T>(attempt: () => Promise<T>, failed: (error: Error) => boolean): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const isWanted = failed(error as Error)
      if (!isWanted || closeCodeOf(error as Error) !== 1006) throw error
      await new Promise((resolve) => setTimeout(resolve, 5000))
    }
  }
}
