/** What a caller's token says. Policies read all of it; `role` is the database role, `exp` the end in epoch seconds. */
export type Claims = Record<string, unknown> & { role: string; exp: number }

/** Milliseconds until these claims expire; zero or less when they have. */
export function millisecondsLeft(claims: Claims): number {
  return claims.exp * 1000 - Date.now()
}

/** As Supabase tells it to the one whose claims these were. */
export function expiryMessage(claims: Claims): string {
  return `Token has expired ${Math.max(0, Math.floor(-millisecondsLeft(claims) / 1000))} seconds ago`
}
