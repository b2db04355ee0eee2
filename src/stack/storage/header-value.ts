import { invalidRequest } from './errors.ts'

/** A text that is to become a header of every download. @throws {StorageError} 400 when no header can hold it */
export function headerValue(field: string, text: string): string {
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) throw invalidRequest(`${field} has characters that no header may have`)
  return text
}
