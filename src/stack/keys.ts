/** What callers and services prove themselves with: the two API keys and the secret that signs user tokens. */
export interface Keys {
  /** Public, goes into clients: role `anon`. */
  publishable: string
  /** Private, stays on servers: role `service_role`. */
  secret: string
  /** Signs access tokens, HS256. */
  jwtSecret: string
}

// The same on every machine, as the Supabase CLI's own local keys are: the stack listens on loopback only,
// and an example copied from the README works.
export const localKeys: Keys = {
  publishable: 'sb_publishable_parley_local_0000000000',
  secret: 'sb_secret_parley_local_00000000000000000',
  jwtSecret: 'parley-local-jwt-secret-with-at-least-32-characters',
}
