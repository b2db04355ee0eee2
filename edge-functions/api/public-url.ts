/**
 * The address of a call as its caller may use it again. The base is configured, never taken from the request's `Host`,
 * which whoever calls may forge.
 */
export function publicUrl(request: Request): URL {
  const base = Deno.env.get('PARLEY_PUBLIC_URL') ?? `${Deno.env.get('SUPABASE_URL')}/functions/v1`
  const { pathname, search } = new URL(request.url)
  return new URL(base.replace(/\/$/, '') + pathname + search)
}
