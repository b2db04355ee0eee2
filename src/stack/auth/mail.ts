import type { Auth } from './settings.ts'

/** What a mail asks its reader to do; the same words as in links and in `verifyOtp`. */
export type MailType = 'signup' | 'invite' | 'recovery' | 'magiclink' | 'email_change' | 'reauthentication'

/** An outgoing mail, with what is in it for whoever wants to follow the link without reading. */
export interface Mail {
  to: string
  subject: string
  text: string
  type: MailType
  /** The six digits. */
  code: string
  /** What `verifyOtp({ token_hash })` takes. */
  tokenHash: string
  /** Absent where only the digits help. */
  link?: string
}

const subjects: Record<MailType, string> = {
  signup: 'Confirm your signup',
  invite: 'You have been invited',
  recovery: 'Reset your password',
  magiclink: 'Your magic link',
  email_change: 'Confirm your new email address',
  reauthentication: 'Confirm reauthentication',
}

export function composeMail(mail: Omit<Mail, 'subject' | 'text'>): Mail {
  const lines = [mail.link && `Follow this link: ${mail.link}`, `Or enter this code: ${mail.code}`]
  return { ...mail, subject: subjects[mail.type], text: lines.filter(Boolean).join('\n') }
}

export function actionLink(auth: Auth, type: MailType, tokenHash: string, redirectTo: string): string {
  const query = new URLSearchParams({ token: tokenHash, type, redirect_to: redirectTo })
  return `${auth.publicUrl}/verify?${query}`
}
