/** What a caller's token says. Policies read all of it; `role` is the database role, `exp` the end in epoch seconds. */
export type Claims = Record<string, unknown> & { role: string; exp: number }
