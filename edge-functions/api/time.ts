/** A moment as the documents write it: ISO 8601 in UTC with a `Z`. SQL writes its own offset. */
export function utc(moment: string): string
export function utc(moment: string | null): string | null
export function utc(moment: string | null): string | null {
  // Postgres knows microseconds, which a Date would cut off.
  if (moment === null || moment.endsWith('Z')) return moment
  if (/[+-]00(:?00)?$/.test(moment)) return moment.replace(/[+-]00(:?00)?$/, 'Z')
  return new Date(moment).toISOString()
}
