import { z } from 'zod'
import { readBody } from '../_shared/body.ts'
import { serviceDatabase } from '../_shared/database.ts'
import { draining, type Job, requireJobSecret } from '../_shared/jobs.ts'
import { answering } from '../_shared/serve.ts'
import { type CleanupJob, cleanUp } from './cleanup.ts'
import { destroyAtCloudinary } from './cloudinary.ts'
import { type CompareJob, giveUpStrays, reconcile } from './reconcile.ts'

const Call = z
  .object({
    mode: z.enum(['drain', 'reconcile']).default('drain'),
    page: z
      .string()
      .regex(/^(image|video|raw|rows):/)
      .default('image:'),
  })
  .prefault({})

const drain = draining<CleanupJob | CompareJob>({
  name: 'media_cleanup',
  async work(jobs, database, log) {
    const comparing = jobs.filter((job): job is Job<CompareJob> => 'compare' in job.job)
    const cleaning = jobs.filter((job): job is Job<CleanupJob> => 'asset_id' in job.job)
    const cleaned = await cleanUp(cleaning, destroyAtCloudinary, database, log)
    return [...cleaned, ...(await Promise.all(comparing.map((job) => giveUpStrays(job, database, log))))]
  },
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
