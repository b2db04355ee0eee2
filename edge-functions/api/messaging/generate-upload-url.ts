import { z } from 'zod'
import { generateUploadUrl as generate } from '../../_shared/uploads.ts'
import { route } from '../route.ts'
import { text } from '../shapes.ts'

export const generateUploadUrl = route({
  row: 'messaging.upload',
  method: 'POST',
  path: '/api/messaging/generate-upload-url/',
  summary: 'A URL that takes one file by a plain PUT, and the key to send it by',
  body: z.object({ filename: text, filetype: text }),
  answer: z.object({ success: z.literal(true), upload_url: z.url(), file_key: z.string() }),
  async handle({ caller, body }) {
    return { success: true as const, ...(await generate(caller, body)) }
  },
})
