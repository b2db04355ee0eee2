import { join } from 'node:path'
import type { Hono } from 'hono'
import { CloudinaryFake } from './cloudinary.ts'
import { controlApp } from './control.ts'
import { keptKey, type ServiceAccount, serviceAccountFor } from './fcm/service-account.ts'
import { FcmFake } from './fcm.ts'
import { listen } from './listen.ts'

export interface SandboxOptions {
  /** Folder for uploaded files and the service account's key; kept between runs. */
  dir: string
  /** Told what nobody asked for and somebody should know, a line at a time. */
  log: (line: string) => void
}

/** Cloudinary and Firebase Cloud Messaging on loopback, so that files and push work without an account. */
export interface Sandbox {
  cloudinary: { url: string; cloudName: string; apiKey: string; apiSecret: string }
  fcm: { url: string; tokenUrl: string; serviceAccount: ServiceAccount }
  /** What edge functions need in their environment to use the sandbox instead of the real services. */
  env: { CLOUDINARY_URL: string; FCM_SERVICE_ACCOUNT: string; FCM_BASE_URL: string }
  /** Serves `/sandbox/…`: what the fakes received, and control over them. */
  fetch(request: Request): Promise<Response>
  close(): Promise<void>
}

// Known to everybody, as the local API keys are: it guards nothing but a folder on this machine.
const account = {
  cloudName: 'parley-sandbox',
  apiKey: '100000000000001',
  apiSecret: 'parley-sandbox-api-secret',
}

/** Starts both fakes on free ports of 127.0.0.1. Rejects when a port or `dir` cannot be used. */
export async function startSandbox({ dir, log }: SandboxOptions): Promise<Sandbox> {
  const cloudinary = new CloudinaryFake(join(dir, 'cloudinary'), account)
  const key = keptKey(join(dir, 'fcm-service-account-key.json'))
  const [cloudinaryPort, fcmPort] = await Promise.all([listen(), listen()])
  const tokenUrl = `${fcmPort.url}/token`
  const serviceAccount = serviceAccountFor(key, tokenUrl)
  const fcm = new FcmFake(serviceAccount)
  cloudinaryPort.serve(reporting('Cloudinary', cloudinary.app(), log))
  fcmPort.serve(reporting('FCM', fcm.app(), log))

  const control = controlApp(cloudinary, cloudinaryPort.url, fcm)
  return {
    cloudinary: { url: cloudinaryPort.url, ...account },
    fcm: { url: fcmPort.url, tokenUrl, serviceAccount },
    env: {
      CLOUDINARY_URL: cloudinaryEnvironment(cloudinaryPort.url),
      FCM_SERVICE_ACCOUNT: JSON.stringify(serviceAccount),
      FCM_BASE_URL: fcmPort.url,
    },
    fetch: async (request) => control.fetch(request),
    async close() {
      cloudinary.close()
      fcm.close()
      await Promise.all([cloudinaryPort.close(), fcmPort.close()])
    },
  }
}

function cloudinaryEnvironment(url: string): string {
  const { apiKey, apiSecret, cloudName } = account
  // `upload_prefix` is where the SDK sends API calls, `cname` where its delivery URLs point with `secure: false`.
  const query = new URLSearchParams({ upload_prefix: url, cname: new URL(url).host })
  return `cloudinary://${apiKey}:${apiSecret}@${cloudName}?${query}`
}

/** Serves `app`; a fault of ours becomes a line in the log and a plain 500. */
function reporting(name: string, app: Hono, log: SandboxOptions['log']) {
  return async (request: Request): Promise<Response> => {
    try {
      return await app.fetch(request)
    } catch (error) {
      // A caller that hung up in the middle of an upload is its own affair.
      const hungUp = request.signal.aborted
      if (!hungUp) log(`sandbox ${name}: ${request.method} ${request.url}: ${(error as Error).stack ?? error}`)
      return Response.json({ error: { message: 'Internal Server Error' } }, { status: 500 })
    }
  }
}
