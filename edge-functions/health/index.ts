import { health } from './health.ts'

Deno.serve(health)
