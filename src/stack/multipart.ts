export interface Part {
  name: string
  /** Only files have one. */
  filename: string | undefined
  contentType: string | undefined
  /** To be read before the next part is asked for; what is left of it is skipped then. */
  body: AsyncGenerator<Buffer>
}

/** The body is no form, or breaks off. */
export class MalformedForm extends Error {
  override readonly name = 'MalformedForm'
}

const maxHeaderBytes = 16 * 1024

/**
 * Reads a `multipart/form-data` body part by part, as it arrives. `Request.formData()` would hold a whole file in memory.
 * @param contentType of the request, with the boundary
 * @throws MalformedForm
 */
export async function* readParts(chunks: AsyncIterator<Uint8Array>, contentType: string): AsyncGenerator<Part> {
  const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? []
  const boundary = quoted ?? plain
  if (!boundary) throw new MalformedForm('Multipart: Boundary not found')

  const delimiter = Buffer.from(`\r\n--${boundary}`)
  const reader = new DelimitedReader(chunks)
  await skip(reader.until(delimiter))
  // Two dashes instead of a line's end: that was the last one.
  while ((await reader.next(2)) === '\r\n') {
    const headers = await readText(reader.until(Buffer.from('\r\n\r\n')), maxHeaderBytes)
    const body = reader.until(delimiter)
    yield { ...parseHeaders(headers), body }
    await skip(body)
  }
  await reader.skipRest()
}

class DelimitedReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  // The first boundary has no line before it, all others have.
  #buffer: Buffer = Buffer.from('\r\n')

  constructor(chunks: AsyncIterator<Uint8Array>) {
    this.#chunks = chunks
  }

  /** The bytes before the next `delimiter`, which is read too and left out. */
  async *until(delimiter: Buffer): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.#buffer.indexOf(delimiter)
      if (at >= 0) {
        const last = this.#buffer.subarray(0, at)
        this.#buffer = this.#buffer.subarray(at + delimiter.length)
        if (last.length > 0) yield last
        return
      }
      // The delimiter may have begun in the last bytes.
      const sure = Math.max(0, this.#buffer.length - delimiter.length + 1)
      const head = this.#buffer.subarray(0, sure)
      this.#buffer = this.#buffer.subarray(sure)
      if (head.length > 0) yield head
      await this.#read()
    }
  }

  /** The next `length` bytes, as text. */
  async next(length: number): Promise<string> {
    while (this.#buffer.length < length) await this.#read()
    const text = this.#buffer.toString('latin1', 0, length)
    this.#buffer = this.#buffer.subarray(length)
    return text
  }

  async skipRest(): Promise<void> {
    while (!(await this.#chunks.next()).done);
  }

  async #read(): Promise<void> {
    const { value, done } = await this.#chunks.next()
    if (done) throw new MalformedForm('Unexpected end of form')
    this.#buffer = Buffer.concat([this.#buffer, value])
  }
}

/** Reads a short part whole. @throws MalformedForm when it has more than `maxBytes` */
export async function readText(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const read: Buffer[] = []
  let size = 0
  for await (const bytes of body) {
    size += bytes.length
    if (size > maxBytes) throw new MalformedForm('Multipart: a field or its headers are too large')
    read.push(bytes)
  }
  return Buffer.concat(read).toString('utf8')
}

async function skip(body: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of body);
}

function parseHeaders(text: string): Omit<Part, 'body'> {
  const disposition = /^content-disposition:(.*)$/im.exec(text)?.[1] ?? ''
  return {
    name: /[;\s]name="([^"]*)"/i.exec(disposition)?.[1] ?? '',
    // Browsers write a quotation mark so.
    filename: /[;\s]filename="([^"]*)"/i.exec(disposition)?.[1]?.replaceAll('%22', '"'),
    contentType: /^content-type:\s*(.*?)\s*$/im.exec(text)?.[1],
  }
}
