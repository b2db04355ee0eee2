import { draining } from '../_shared/jobs.ts'
import { answering } from '../_shared/serve.ts'
import { requireFcm, sendToFcm } from './fcm.ts'
import { type PushJob, push } from './push.ts'

const handler = draining<PushJob>({
  name: 'push',
  requireSettings: requireFcm,
  work: (jobs, database, log) => push(jobs, sendToFcm, database, log),
})

Deno.serve(answering('push-notifications', handler))
