import { invalid } from './errors.ts'

export interface Page {
  /** Counted from one. */
  number: number
  size: number
}

/** @throws AuthError `validation_failed` */
export function pageOf(url: URL): Page {
  return { number: positive(url, 'page', 1), size: Math.min(positive(url, 'per_page', 50), 1000) }
}

function positive(url: URL, name: string, absent: number): number {
  const given = url.searchParams.get(name)
  if (!given) return absent
  const number = Number(given)
  if (!/^\d{1,9}$/.test(given) || number === 0)
    throw invalid(`Bad Pagination Parameters: ${name} must be greater than 0`)
  return number
}

/** Where the next and the last page are; clients read the page's number right behind the first `=`. */
export function pagingHeaders(url: URL, page: Page, total: number): Record<string, string> {
  const last = Math.ceil(total / page.size)
  const link = (number: number, rel: string) => {
    const query = new URLSearchParams({ page: String(number), per_page: String(page.size) })
    return `<${url.pathname}?${query}>; rel="${rel}"`
  }
  const links = page.number < last ? [link(page.number + 1, 'next')] : []
  return { link: [...links, link(last, 'last')].join(', '), 'x-total-count': String(total) }
}
