import { readFileSync } from 'node:fs'
import { demoGuest, demoPeople } from './demo-people.ts'

/** By what a running stack is reached, for the terminal. @param file its stack.json */
export function addresses(file: string): string {
  const { url, db_url, publishable_key, secret_key } = JSON.parse(readFileSync(file, 'utf8'))
  const { hotelSlug, roomNumber, code } = demoGuest
  return `
  API              ${url}
  Database         ${db_url}
  Publishable key  ${publishable_key}
  Secret key       ${secret_key}
  Sandbox          ${url}/sandbox/cloudinary  ${url}/sandbox/fcm

  Demo people      ${demoPeople.emails.join('\n                   ')}
  Their password   ${demoPeople.password}
  Guest            join_as_guest('${hotelSlug}', '${roomNumber}', '${code}')
`
}
