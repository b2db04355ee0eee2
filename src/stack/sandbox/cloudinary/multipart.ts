/** One part of a `multipart/form-data` body. Read `body` to its end before asking for the next part. */
export interface Part {
  name: string
  filename?: string
  body: AsyncIterable<Buffer>
}

export class MalformedForm extends Error {
  override readonly name = 'MalformedForm'
}

/**
 * Reads a form part by part as it arrives. `request.formData()` would hold a 50 MB file in memory, twice.
 * Throws MalformedForm.
 */
export async function* readParts(source: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Part> {
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  const text = new Cursor(source)
  await collect(text.until(delimiter))

  for (;;) {
    if ((await text.take(2)).toString() === '--') return
    const headers = (await collect(text.until(Buffer.from('\r\n\r\n')))).toString()
    const [, name] = /;\s*name="([^"]*)"/i.exec(headers) ?? []
    if (name === undefined) throw new MalformedForm('a part has no name')
    const [, filename] = /;\s*filename="([^"]*)"/i.exec(headers) ?? []

    const body = text.until(delimiter)
    yield { name, body, ...(filename !== undefined && { filename: filename.replaceAll('%22', '"') }) }
    for await (const _ of body);
  }
}

/** Gathers what is small by nature: fields and part headers. */
export async function collect(chunks: AsyncIterable<Buffer>, limit = 64 * 1024): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > limit) throw new MalformedForm(`a field is longer than ${limit} bytes`)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

class Cursor {
  readonly #source: AsyncIterator<Uint8Array>
  // The first delimiter has no line before it; given one, it is like all others.
  #held = Buffer.from('\r\n')

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Everything before `mark`, piece by piece; the cursor then stands behind it. */
  async *until(mark: Buffer): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.#held.indexOf(mark)
      if (at >= 0) {
        const last = this.#held.subarray(0, at)
        this.#held = this.#held.subarray(at + mark.length)
        yield last
        return
      }
      // The end of what has arrived may be the beginning of the mark.
      const safe = this.#held.length - mark.length + 1
      if (safe > 0) {
        const piece = this.#held.subarray(0, safe)
        this.#held = this.#held.subarray(safe)
        yield piece
      }
      await this.#more()
    }
  }

  async take(length: number): Promise<Buffer> {
    while (this.#held.length < length) await this.#more()
    const taken = this.#held.subarray(0, length)
    this.#held = this.#held.subarray(length)
    return taken
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#source.next()
    if (done) throw new MalformedForm('the form ends before its last boundary')
    this.#held = Buffer.concat([this.#held, value])
  }
}
