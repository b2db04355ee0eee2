import { MalformedForm, readParts, readText } from '../../multipart.ts'
import { CloudinaryError } from './account.ts'
import { type ReceivedFile, receiveFile } from './received-file.ts'

/** What a client sent: parameters by name (`tags[]` twice is one `tags`, joined by commas), and the file, already on disk. */
export interface Form {
  params: Record<string, string>
  file?: ReceivedFile
}

// A file may also come as a data URI in a field; larger files come as a part and never meet this limit.
const maxFileField = 20 * 1024 * 1024
const maxField = 64 * 1024

/** Reads a multipart, URL-encoded or JSON body, streaming a file into `folder`. Throws a CloudinaryError. */
export async function readForm(request: Request, folder: string): Promise<Form> {
  const type = request.headers.get('content-type') ?? ''
  if (/^multipart\/form-data/i.test(type)) return readMultipart(request, type, folder)

  const text = request.body ? await readText(chunks(request.body), maxFileField) : ''
  const entries: [string, unknown][] = type.includes('json')
    ? Object.entries(parseJson(text))
    : [...new URLSearchParams(text)]
  return withFileField(joinArrays(entries), folder)
}

async function readMultipart(request: Request, type: string, folder: string): Promise<Form> {
  const entries: [string, string][] = []
  let file: ReceivedFile | undefined
  try {
    for await (const part of readParts(chunks(request.body ?? new ReadableStream()), type)) {
      if (part.filename !== undefined && part.name === 'file' && !file) {
        file = await receiveFile(part.body, folder, part.filename)
      } else {
        entries.push([part.name, await readText(part.body, part.name === 'file' ? maxFileField : maxField)])
      }
    }
  } catch (error) {
    await file?.discard()
    if (error instanceof MalformedForm) throw new CloudinaryError(400, `Malformed form: ${error.message}`)
    throw error
  }
  const params = joinArrays(entries)
  return file ? { params, file } : withFileField(params, folder)
}

async function withFileField(params: Record<string, string>, folder: string): Promise<Form> {
  const { file: source, ...rest } = params
  if (source === undefined) return { params: rest }

  const [, base64, data = ''] = /^data:[^,]*?(;base64)?,(.*)$/s.exec(source) ?? []
  if (/^data:/.test(source)) {
    const bytes = base64 ? Buffer.from(data, 'base64') : Buffer.from(decodeURIComponent(data))
    return { params: rest, file: await receiveFile([bytes], folder, 'file') }
  }
  if (/^https?:/.test(source)) {
    const answer = await fetch(source)
    if (!answer.ok || !answer.body) {
      throw new CloudinaryError(400, `Error in loading ${source} - ${answer.status} ${answer.statusText}`)
    }
    const name = new URL(source).pathname.split('/').at(-1) || 'file'
    return { params: rest, file: await receiveFile(chunks(answer.body), folder, name) }
  }
  throw new CloudinaryError(400, 'Unsupported source URL: the sandbox takes a file part, a data URI or an http URL')
}

function joinArrays(entries: [string, unknown][]): Record<string, string> {
  const params: Record<string, string> = {}
  for (const [key, value] of entries) {
    const name = key.replace(/\[\d*\]$/, '')
    const text = Array.isArray(value) ? value.join(',') : String(value)
    params[name] = name in params && name !== key ? `${params[name]},${text}` : text
  }
  return params
}

function parseJson(text: string): object {
  try {
    const value = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new CloudinaryError(400, 'Invalid JSON in request body')
}

async function* chunks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Buffer> {
  // A reader, because the type of ReadableStream that TypeScript's DOM library knows cannot be iterated.
  const reader = stream.getReader()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    yield Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
}
