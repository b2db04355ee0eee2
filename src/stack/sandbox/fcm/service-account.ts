import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** The JSON file that the Firebase console lets you download, as client libraries read it. */
export interface ServiceAccount {
  type: 'service_account'
  project_id: string
  private_key_id: string
  /** PKCS #8, PEM. */
  private_key: string
  client_email: string
  client_id: string
  auth_uri: string
  token_uri: string
  universe_domain: string
}

/** The part of a service account that is its own, whatever the addresses. */
export type ServiceAccountKey = Pick<ServiceAccount, 'private_key_id' | 'private_key'>

const projectId = 'parley-sandbox'

/** The sandbox's own service account, whose tokens come from `tokenUri`. */
export function serviceAccountFor(key: ServiceAccountKey, tokenUri: string): ServiceAccount {
  return {
    type: 'service_account',
    project_id: projectId,
    ...key,
    client_email: `firebase-adminsdk@${projectId}.iam.gserviceaccount.com`,
    client_id: '100000000000000000001',
    auth_uri: 'https://accounts.google.com/o/oauth2/auth',
    token_uri: tokenUri,
    universe_domain: 'googleapis.com',
  }
}

/** The key in `file`; made on first use. */
export function keptKey(file: string): ServiceAccountKey {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'))

  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key: ServiceAccountKey = {
    private_key_id: randomBytes(20).toString('hex'),
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  }
  mkdirSync(dirname(file), { recursive: true })
  // A crash between the two leaves no half-written key behind.
  writeFileSync(`${file}.draft`, JSON.stringify(key, null, 2), { mode: 0o600 })
  renameSync(`${file}.draft`, file)
  return key
}
