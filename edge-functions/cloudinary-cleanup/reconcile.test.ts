import { deepStrictEqual as equal } from 'node:assert'
import type { Database } from '../_shared/database.ts'

// What Cloudinary has of each kind, two pages of pictures.
const listed: Record<string, object> = {
  image: { resources: [{ public_id: 'parley/a' }], next_cursor: 'b&c' },
  'image b&c': { resources: [{ public_id: 'parley/b' }] },
  video: { resources: [] },
  raw: { resources: [{ public_id: 'parley/a' }] },
}
const cloudinary = Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: () => {} }, ({ url }) => {
  const { pathname, searchParams } = new URL(url)
  const kind = pathname.split('/').at(-2)
  const page = listed[[kind, searchParams.get('next_cursor')].filter(Boolean).join(' ')]
  return searchParams.get('prefix') === 'parley/' ? Response.json(page) : new Response(null, { status: 400 })
})
// The SDK reads it when it is imported.
Deno.env.set('CLOUDINARY_URL', `cloudinary://key:secret@cloud?upload_prefix=http://127.0.0.1:${cloudinary.addr.port}`)
const { giveUpStrays } = await import('./reconcile.ts')

Deno.test({
  name: 'files are compared page by page and kind by kind, each page a call',
  // Connections are kept for the next call.
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    const told: [string, object][] = []
    const database = {
      rpc: (name: string, args: object) => Promise.resolve(told.push([name, args])),
    } as unknown as Database
    const compared: string[] = []
    let compare = 'image:'
    for (let left: { compare?: string } | undefined = { compare }; left; ) {
      compare = left.compare ?? ''
      compared.push(compare)
      const outcome = await giveUpStrays(
        { job_id: 1, attempt: 1, enqueued_at: '', job: { compare } },
        database,
        () => {},
      )
      equal(outcome.state, compare === 'raw:' ? 'done' : 'continues')
      left = outcome.state === 'continues' ? outcome.left : undefined
    }
    equal(compared, ['image:', 'image:b&c', 'video:', 'raw:'])
    const page = (p_resource_type: string, ...p_public_ids: string[]) => [
      'give_up_strays',
      { p_public_ids, p_resource_type },
    ]
    equal(told, [page('image', 'parley/a'), page('image', 'parley/b'), page('video'), page('raw', 'parley/a')])
    await cloudinary.shutdown()
  },
})
