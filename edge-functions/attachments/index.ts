import { answering } from '../_shared/serve.ts'
import { attachments } from './attachments.ts'

Deno.serve(answering('attachments', attachments))
