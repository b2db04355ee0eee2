import type { Keys } from '../keys.ts'

export interface EnvironmentSources {
  /** Where the stack is reached, without a slash at the end. */
  url: string
  /** Connection string of the database. */
  databaseUrl: string
  keys: Keys
  /** The project's own secrets. Names starting with `SUPABASE_` are the platform's and lose to it. */
  secrets: Record<string, string>
}

/** The variables that functions find in `Deno.env`, under the names that hosted Supabase gives them. */
export function functionEnvironment({ url, databaseUrl, keys, secrets }: EnvironmentSources): Record<string, string> {
  return {
    ...secrets,
    SUPABASE_URL: url,
    SUPABASE_DB_URL: databaseUrl,
    SUPABASE_ANON_KEY: keys.publishable,
    SUPABASE_SERVICE_ROLE_KEY: keys.secret,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret }),
    SUPABASE_JWKS: JSON.stringify({ keys: [signingKey(keys.jwtSecret)] }),
  }
}

// Local tokens are HS256, so the key that verifies them is the secret itself. It gives a function nothing that its
// secret key does not.
function signingKey(jwtSecret: string) {
  return { kty: 'oct', kid: 'local', alg: 'HS256', use: 'sig', k: Buffer.from(jwtSecret).toString('base64url') }
}
