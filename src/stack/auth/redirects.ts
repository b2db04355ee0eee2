import type { Auth } from './settings.ts'

/** Where a link in a mail may lead: the place the app asked for when the project allows it, else the site. */
export function redirectTarget(auth: Auth, ...asked: (string | null | undefined)[]): string {
  return asked.find((url) => url && isAllowed(auth, url)) ?? auth.siteUrl
}

function isAllowed({ siteUrl, redirectUrls }: Auth, url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname } = new URL(url)
  const site = new URL(siteUrl)
  // A port of its own is what every other app on the same machine has.
  if (hostname === site.hostname && (protocol === site.protocol || protocol === 'https:')) return true
  const [withoutFragment = ''] = url.split('#')
  return redirectUrls.some((pattern) => globToRegExp(pattern).test(withoutFragment))
}

// `*` and `?` stop at a dot and a slash, `**` does not.
function globToRegExp(pattern: string): RegExp {
  const source = pattern.replace(/\*\*|[*?]|[.+^${}()|[\]\\]/g, (part) => {
    if (part === '**') return '.*'
    if (part === '*') return '[^./]*'
    if (part === '?') return '[^./]'
    return `\\${part}`
  })
  return new RegExp(`^${source}$`)
}
