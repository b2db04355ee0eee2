import { randomBytes } from 'node:crypto'
import bcrypt from 'bcryptjs'
import { AuthError, invalid } from './errors.ts'

/** Hashes passwords with bcrypt. */
export class Passwords {
  readonly #cost: number
  readonly #minimumLength: number
  #hashOfNobody: Promise<string> | undefined

  /** @param cost each one more doubles the work, 4 to 31 */
  constructor(cost: number, minimumLength: number) {
    this.#cost = cost
    this.#minimumLength = minimumLength
  }

  /** @throws AuthError `validation_failed` when bcrypt would ignore its end */
  async hash(password: string): Promise<string> {
    if (Buffer.byteLength(password) > 72) throw invalid('Password cannot be longer than 72 characters')
    return bcrypt.hash(password, this.#cost)
  }

  /**
   * Whether this is the password behind the hash. Takes as long for an account that does not exist, so that the time
   * an answer takes says nothing about who has an account.
   */
  async match(password: string, hash: string | null | undefined): Promise<boolean> {
    if (hash) return bcrypt.compare(password, hash)
    this.#hashOfNobody ??= this.hash(randomPassword())
    await bcrypt.compare(password, await this.#hashOfNobody)
    return false
  }

  /** @throws AuthError `weak_password` */
  checkStrength(password: string): void {
    if (password.length < this.#minimumLength) {
      throw new AuthError(422, 'weak_password', `Password should be at least ${this.#minimumLength} characters.`, {
        details: { weak_password: { reasons: ['length'] } },
      })
    }
  }
}

/** For accounts whose owner never chose one. */
export function randomPassword(): string {
  return randomBytes(36).toString('base64')
}

/** @throws AuthError `validation_failed` when it is no bcrypt hash */
export function checkPasswordHash(hash: string): void {
  if (!/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/.test(hash)) throw invalid('password_hash must be a bcrypt hash')
}
