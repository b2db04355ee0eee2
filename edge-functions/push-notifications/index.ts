import { draining } from '../_shared/jobs.ts'
import { answering } from '../_shared/serve.ts'
import { sendToFcm } from './fcm.ts'
import { pushQueue } from './push.ts'

Deno.serve(answering('push-notifications', draining(pushQueue(sendToFcm))))
