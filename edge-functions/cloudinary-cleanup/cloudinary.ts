import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { v2 as sdk } from 'cloudinary'
import { cloudinaryAccount } from '../_shared/cloudinary.ts'
import { reason } from '../_shared/log.ts'
import { within } from '../_shared/time-limit.ts'

interface Stored {
  public_id: string
  resource_type: string
}

/** Destroys a file; nothing happens if it is not there. Throws an error that says why and holds no secret. */
export type Destroy = (file: Stored) => Promise<void>

const patienceMs = 10_000
let agent: HttpAgent | undefined

export const destroyAtCloudinary: Destroy = async ({ public_id, resource_type }) => {
  agent ??= new (cloudinaryAccount().origin.startsWith('http:') ? HttpAgent : HttpsAgent)({ keepAlive: true })
  const options = {
    resource_type,
    type: 'authenticated',
    // The copies in the delivery network too.
    invalidate: true,
    timeout: patienceMs,
    agent,
  }
  let result: string
  try {
    const answer = await within(patienceMs + 1000, sdk.uploader.destroy(public_id, options))
    result = answer.result
  } catch (error) {
    throw new Error(describe(error))
  }
  if (result !== 'ok' && result !== 'not found') throw new Error(`Cloudinary answered ${result}.`)
}

// What the SDK throws is a plain object of one of two shapes. Its text may quote what was signed.
function describe(thrown: unknown): string {
  const { error = thrown } = (thrown ?? {}) as { error?: unknown }
  const { http_code, code } = (error ?? {}) as { http_code?: number; code?: string }
  if (http_code === 499) return `Cloudinary gave no answer within ${patienceMs} ms.`
  if (http_code) return `Cloudinary answered ${http_code}.`
  return `Cloudinary cannot be reached (${code ?? reason(error)}).`
}
