import { deepStrictEqual as equal, rejects } from 'node:assert'
import { createHash } from 'node:crypto'

const answers: Record<string, () => Response> = {
  there: () => Response.json({ result: 'ok' }),
  absent: () => Response.json({ result: 'not found' }),
  'out of order': () => Response.json({ error: { message: 'Internal Server Error' } }, { status: 500 }),
  'in a gateway': () => new Response('<html>', { status: 502 }),
  'wrongly signed': () =>
    Response.json({ error: { message: "Invalid Signature abc. String to sign - 'x'." } }, { status: 401 }),
}

const paths: string[] = []
const cloudinary = Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: () => {} }, async (request) => {
  paths.push(new URL(request.url).pathname)
  const form = await request.formData()
  const [public_id, timestamp, type, invalidate, signature] = [
    'public_id',
    'timestamp',
    'type',
    'invalidate',
    'signature',
  ].map((name) => String(form.get(name)))
  const signed = `invalidate=${invalidate}&public_id=${public_id}&timestamp=${timestamp}&type=${type}the-secret`
  const isRight = signature === createHash('sha1').update(signed).digest('hex')
  if (!isRight || type !== 'authenticated' || invalidate !== 'true') return new Response(null, { status: 400 })
  return answers[public_id ?? '']?.() ?? new Response(null, { status: 500 })
})
// The SDK reads it when it is imported.
const account = `cloudinary://key:the-secret@cloud?upload_prefix=http://127.0.0.1:${cloudinary.addr.port}`
Deno.env.set('CLOUDINARY_URL', account)
const { destroyAtCloudinary } = await import('./cloudinary.ts')
const destroy = (public_id: string) => destroyAtCloudinary({ public_id, resource_type: 'video' })

// The same on both versions of Deno, over the wire.
Deno.test({
  name: 'hotel.delete.files: Cloudinary is asked with a signature, and an error says neither it nor the secret',
  // Connections are kept for the next call.
  sanitizeResources: false,
  sanitizeOps: false,
  async fn(t) {
    await t.step('without an account it says so', async () => {
      Deno.env.delete('CLOUDINARY_URL')
      await rejects(destroy('there'), /The secret CLOUDINARY_URL is not set/)
      Deno.env.set('CLOUDINARY_URL', account)
    })
    await t.step('what is there and what is not', async () => {
      await destroy('there')
      await destroy('absent')
      equal(paths, Array(2).fill('/v1_1/cloud/video/destroy'))
    })
    await t.step('what goes wrong', async () => {
      await rejects(destroy('out of order'), { message: 'Cloudinary answered 500.' })
      await rejects(destroy('in a gateway'), { message: 'Cloudinary answered 502.' })
      await rejects(destroy('wrongly signed'), { message: 'Cloudinary answered 401.' })
    })
    await cloudinary.shutdown()
  },
})
