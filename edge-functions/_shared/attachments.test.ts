import { deepStrictEqual as equal, rejects } from 'node:assert'
import type { Database } from './database.ts'
import type { StoredFile } from './files.ts'

// The SDK reads it when it is imported.
Deno.env.set('CLOUDINARY_URL', 'cloudinary://key:secret@demo')
const { attachmentsOf, signAttachments, withUrls } = await import('./attachments.ts')

function file(id: string, provider: StoredFile['provider']): StoredFile {
  return {
    attachment_id: id,
    provider,
    public_id: `place/${id}`,
    resource_type: 'image',
    file_name: `${id}.png`,
    mime_type: 'image/png',
    size_bytes: 1,
  }
}

/** Somebody who sees these files; it counts what is asked. */
function viewer(files: StoredFile[], asked: string[] = []): Database {
  return {
    async rpc<T>(name: string, args: object): Promise<T> {
      asked.push(name)
      const { p_attachment_ids } = args as { p_attachment_ids: string[] }
      return await Promise.resolve(
        files.filter(({ attachment_id }) => p_attachment_ids.includes(attachment_id)) as unknown as T,
      )
    },
    rows: () => Promise.reject(new Error('Nothing reads rows here.')),
    fetch: () => Promise.reject(new Error('Nothing else is asked as the caller.')),
  }
}

/** Runs the scene with a Storage that holds these places, or fails. */
async function withStorage(places: string[] | 'failing', scene: () => Promise<void>): Promise<void> {
  const storage = Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: () => {} }, async (request) => {
    if (places === 'failing') return Response.json({ message: 'down' }, { status: 500 })
    const { paths } = (await request.json()) as { paths: string[] }
    return Response.json(
      paths.map((path) => ({ path, signedURL: places.includes(path) ? `/object/sign/${path}?token=t` : null })),
    )
  })
  Deno.env.set('SUPABASE_URL', `http://127.0.0.1:${storage.addr.port}`)
  Deno.env.set('SUPABASE_SECRET_KEYS', '{"default":"secret"}')
  try {
    await scene()
  } finally {
    await storage.shutdown()
  }
}

const files = [file('a', 'supabase'), file('b', 'cloudinary'), file('c', 'supabase')]
const message = (...ids: string[]) => ({
  id: `message of ${ids}`,
  attachments: ids.map((id) => ({
    id,
    file_name: `${id}.png`,
    mime_type: 'image/png',
    size_bytes: 1,
    url: null,
    thumbnail_url: null,
  })),
})

Deno.test('files of both keepers have links, in the order of the ids', async () => {
  await withStorage(['place/a', 'place/c'], async () => {
    const urls = await signAttachments(viewer(files), ['a', 'b', 'c'])
    equal(
      urls.map(({ attachment_id, url, thumbnail_url }) => [
        attachment_id,
        new URL(url).pathname,
        thumbnail_url !== null,
      ]),
      [
        ['a', '/storage/v1/object/sign/place/a', false],
        ['b', '/v1_1/demo/image/download', true],
        ['c', '/storage/v1/object/sign/place/c', false],
      ],
    )
  })
})

Deno.test('a file that is not where it should be has no link', async () => {
  await withStorage(['place/c'], async () => {
    await rejects(signAttachments(viewer(files), ['a', 'c']), { status: 404, code: 'attachment_not_found' })
    const shown = await attachmentsOf(viewer(files), ['a', 'c'])
    equal(
      shown.map(({ id, url }) => [id, url !== null]),
      [
        ['a', false],
        ['c', true],
      ],
    )
  })
})

Deno.test('a page of messages asks once for its links, and not at all without files', async () => {
  await withStorage(['place/a', 'place/c'], async () => {
    const asked: string[] = []
    const shown = await withUrls(viewer(files, asked), [message('a', 'b'), message(), message('c', 'hidden')])
    equal(
      shown.map(({ attachments }) => attachments.map(({ url }) => url !== null)),
      [[true, true], [], [true, false]],
    )
    await withUrls(viewer(files, asked), [message(), message()])
    equal(asked, ['get_attachments'])
  })
})

Deno.test('messages are shown without links rather than not at all', async () => {
  const messages = [message('a')]
  const said: string[] = []
  const write = console.error
  console.error = (line: string) => said.push(line)
  try {
    await withStorage('failing', async () => {
      await rejects(signAttachments(viewer(files), ['a']), { status: 503 })
      equal(await withUrls(viewer(files), messages), messages)
    })
  } finally {
    console.error = write
  }
  equal(said.length, 1)
})
