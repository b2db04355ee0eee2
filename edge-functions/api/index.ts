import { answering } from '../_shared/serve.ts'
import { door } from './door.ts'

Deno.serve(answering('api', door))
