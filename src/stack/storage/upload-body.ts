import { MalformedForm, type Part, readParts, readText } from '../multipart.ts'
import { entityTooLarge, invalidRequest, StorageError } from './errors.ts'
import { headerValue } from './header-value.ts'

interface UploadBody {
  contentType: string
  cacheControl: string
  /** What the uploader says about the file, as a JSON object. */
  userMetadata: Record<string, unknown> | null
  /** To be read once. */
  content: AsyncIterable<Uint8Array>
}

const maxFieldBytes = 1024 * 1024

/**
 * Gives `take` a request's bytes to read, and reads what it left when it refuses them: hanging up on a client that is
 * still sending could cost it our answer.
 */
export async function takeBody<T>(
  request: Request,
  take: (content: AsyncGenerator<Uint8Array>) => Promise<T>,
): Promise<T> {
  const content = readChunks(request.body)
  try {
    return await take(content)
  } catch (error) {
    for await (const _ of content);
    throw error instanceof MalformedForm ? invalidRequest(error.message) : error
  }
}

/**
 * Reads an upload up to its first byte of content: either the body is the file, or it is a form with the file as its last
 * part. supabase-js sends a form for a Blob, the bytes themselves for everything else.
 */
export async function readUpload(headers: Headers, content: AsyncGenerator<Uint8Array>): Promise<UploadBody> {
  const contentType = headers.get('content-type') ?? 'application/octet-stream'
  if (/^multipart\/form-data/i.test(contentType)) return readForm(content, contentType)

  const metadata = headers.get('x-metadata')
  return {
    contentType,
    cacheControl: headers.get('cache-control') ?? 'no-cache',
    userMetadata: metadata === null ? null : parseMetadata(Buffer.from(metadata, 'base64').toString('utf8')),
    content,
  }
}

async function readForm(content: AsyncIterator<Uint8Array>, contentType: string): Promise<UploadBody> {
  const parts = readParts(content, contentType)
  const fields = new Map<string, string>()
  for (;;) {
    const { value: part, done } = await parts.next()
    if (done) throw invalidRequest('No content provided')
    if (part.filename === undefined) {
      fields.set(part.name, await readText(part.body, maxFieldBytes))
      continue
    }
    const cacheControl = fields.get('cacheControl')
    const metadata = fields.get('metadata') ?? fields.get('userMetadata')
    return {
      contentType: headerValue(
        'contentType',
        fields.get('contentType') ?? part.contentType ?? 'application/octet-stream',
      ),
      cacheControl: cacheControl ? headerValue('cacheControl', `max-age=${cacheControl}`) : 'no-cache',
      userMetadata: metadata === undefined ? null : parseMetadata(metadata),
      content: fileAndRest(part, parts),
    }
  }
}

// The file is complete only when the form is: one that breaks off after it was not uploaded whole.
async function* fileAndRest(file: Part, rest: AsyncIterable<Part>): AsyncGenerator<Uint8Array> {
  yield* file.body
  for await (const _ of rest);
}

/** Never cancels the body: that would cut the connection. */
async function* readChunks(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader()
  for (;;) {
    const chunk = await reader?.read().catch((cause) => {
      throw new StorageError(400, 'Aborted', 'The upload broke off', { cause })
    })
    if (!chunk || chunk.done) return
    yield chunk.value
  }
}

/** What is no JSON object is passed over, as storage-api does. */
function parseMetadata(text: string): Record<string, unknown> | null {
  if (Buffer.byteLength(text) > maxFieldBytes) throw entityTooLarge('user_metadata')
  try {
    const metadata: unknown = JSON.parse(text)
    return metadata && typeof metadata === 'object' && !Array.isArray(metadata) ? { ...metadata } : null
  } catch {
    return null
  }
}
