import { z } from 'zod'
import { readBody } from '../_shared/body.ts'
import { serviceDatabase } from '../_shared/database.ts'
import { draining, requireJobSecret } from '../_shared/jobs.ts'
import { answering } from '../_shared/serve.ts'
import { type CleanupJob, cleanUp } from './cleanup.ts'
import { destroyAtCloudinary } from './cloudinary.ts'
import { reconcile } from './reconcile.ts'

const Call = z
  .object({
    mode: z.enum(['drain', 'reconcile']).default('drain'),
    page: z
      .string()
      .regex(/^(image|video|raw|rows):/)
      .default('image:'),
  })
  .prefault({})

const drain = draining<CleanupJob>({
  name: 'media_cleanup',
  work: (jobs, database, log) => cleanUp(jobs, destroyAtCloudinary, database, log),
})

Deno.serve(
  answering('cloudinary-cleanup', async (request, log) => {
    requireJobSecret(request)
    const { mode, page } = await readBody(request, Call)
    if (mode === 'drain') return drain(request, log)
    // Whose files there are is nobody's to see but the service's.
    const report = await reconcile(page, serviceDatabase())
    log('reconciled', { page, unknown: report.unknown.length, missing: report.missing.length, done: !report.next })
    return Response.json({ success: true, ...report })
  }),
)
