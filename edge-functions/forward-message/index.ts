import { z } from 'zod'
import { readBody, requireMethod } from '../_shared/body.ts'
import { callerOf } from '../_shared/caller.ts'
import { forwardMessage } from '../_shared/forwarding.ts'
import { answering } from '../_shared/serve.ts'

const shape = z.object({ message_id: z.uuid(), target_room_ids: z.array(z.uuid()).max(100) })

Deno.serve(
  answering('forward-message', async (request) => {
    requireMethod(request, 'POST')
    const caller = await callerOf(request)
    const { message_id, target_room_ids } = await readBody(request, shape)
    return Response.json(await forwardMessage(caller, message_id, target_room_ids))
  }),
)
