import { z } from 'zod'
import { archiveOf } from '../_shared/archive.ts'
import { signAttachments } from '../_shared/attachments.ts'
import { readBody, requireMethod } from '../_shared/body.ts'
import { type Caller, callerOf } from '../_shared/caller.ts'
import { Refusal } from '../_shared/refusal.ts'
import {
  announcedFiles,
  announceUploads,
  completeUploads,
  generateUploadUrl,
  passUploadsOn,
  readUploadForm,
} from '../_shared/uploads.ts'

type Call = (caller: Caller, request: Request, url: URL) => Promise<Response>

const attachmentIds = z.object({ attachment_ids: z.array(z.uuid()).min(1).max(200) })
const announcement = z.object({ room_id: z.uuid(), files: announcedFiles })
const upload = z.object({ filename: z.string(), filetype: z.string() })

const calls: Record<string, { method: string; call: Call }> = {
  '': {
    method: 'POST',
    async call(caller, request, url) {
      if (request.headers.get('content-type')?.startsWith('multipart/form-data')) {
        const files = await readUploadForm(request)
        return Response.json({ success: true, attachments: await passUploadsOn(caller, roomIdIn(url), files) })
      }
      const { room_id, files } = await readBody(request, announcement)
      return Response.json({ success: true, uploads: await announceUploads(caller, room_id, files) })
    },
  },
  complete: {
    method: 'POST',
    async call(caller, request) {
      const { attachment_ids } = await readBody(request, attachmentIds)
      return Response.json({ success: true, attachments: await completeUploads(caller, attachment_ids) })
    },
  },
  sign: {
    method: 'POST',
    async call(caller, request) {
      const { attachment_ids } = await readBody(request, attachmentIds)
      return Response.json({ success: true, urls: await signAttachments(caller, attachment_ids) })
    },
  },
  'generate-upload-url': {
    method: 'POST',
    async call(caller, request) {
      return Response.json({ success: true, ...(await generateUploadUrl(caller, await readBody(request, upload))) })
    },
  },
  archive: {
    method: 'GET',
    call: (caller, _request, url) => archiveOf(caller, roomIdIn(url)),
  },
}

function roomIdIn(url: URL): string {
  const roomId = z.uuid().safeParse(url.searchParams.get('room_id'))
  if (roomId.success) return roomId.data
  throw new Refusal(400, 'invalid_input', 'Please check what you sent.', { fields: { room_id: 'Invalid UUID' } })
}

/** `/attachments` and what is below it, with and without a slash at the end. */
export async function attachments(request: Request): Promise<Response> {
  const url = new URL(request.url)
  const name = url.pathname.replace(/^\/attachments\/?/, '').replace(/\/$/, '')
  const found = Object.hasOwn(calls, name) && calls[name]
  if (!found) throw new Refusal(404, 'not_found', 'There is nothing here.')
  requireMethod(request, found.method)
  // Before anything is read of what a stranger sends.
  const caller = await callerOf(request)
  return await found.call(caller, request, url)
}
