import { z } from 'zod'
import type { Database } from '../_shared/database.ts'
import { shownMessages } from './messages.ts'
import { publicUrl } from './public-url.ts'
import { integer, type Message, type ReadMessage } from './shapes.ts'

/**
 * How messages are paged: by number, or before or after a message. `next` and `previous` carry a cursor beside the number,
 * so that a walk has no doubles and no holes while messages arrive.
 */
export const paging = {
  page: integer(1, 1_000_000).optional(),
  page_size: integer(1, 100).optional(),
  cursor: z
    .string()
    .regex(/^[ab]\d{1,18}$/, 'Not a cursor.')
    .optional(),
  before: z.uuid().optional(),
  after: z.uuid().optional(),
  limit: integer(1, 100).optional(),
}
export type Paging = z.output<z.ZodObject<typeof paging>>

export const page = { count: z.number(), next: z.url().nullable(), previous: z.url().nullable() }

export interface Page<M> {
  count: number
  next: string | null
  previous: string | null
  messages: M[]
}

/** What SQL's `message_page` is asked for: at most one of the cursors. */
interface Asked {
  p_room_id: string
  p_limit: number
  p_offset?: number | undefined
  p_before_seq?: number | undefined
  p_after_seq?: number | undefined
  p_before_id?: string | undefined
  p_after_id?: string | undefined
  p_with_deleted: boolean
  p_with_readers?: boolean
}

interface Found {
  count: number
  has_more: boolean
  messages: Message[]
  read_ids: string[]
  readers: Record<string, { user_id: string; read_at: string }[]> | null
}

interface Wanted {
  withDeleted: boolean
  withReaders?: boolean
}

/** @throws Refusal */
export async function pageOf<M extends ReadMessage>(
  caller: Database,
  request: Request,
  roomId: string,
  paging: Paging,
  { withDeleted, withReaders = false }: Wanted,
): Promise<Page<M>> {
  const size = paging.page_size ?? paging.limit ?? 20
  const number = paging.page ?? 1
  const cursor = paging.cursor === undefined ? undefined : Number(paging.cursor.slice(1))
  const backwards = paging.cursor?.startsWith('a') ?? false
  const found = await messagePage<M>(caller, {
    p_room_id: roomId,
    p_limit: size,
    p_offset: cursor === undefined ? (number - 1) * size : 0,
    p_before_seq: backwards ? undefined : cursor,
    p_after_seq: backwards ? cursor : undefined,
    p_before_id: paging.before,
    p_after_id: paging.after,
    p_with_deleted: withDeleted,
    p_with_readers: withReaders,
  })
  // What stands after a cursor SQL gives the oldest first.
  const messages = backwards ? found.messages.toReversed() : found.messages

  const [first, last] = [messages[0], messages.at(-1)]
  const url = (changes: Record<string, string | undefined>) => urlWith(request, { page_size: `${size}`, ...changes })
  if (paging.after !== undefined) {
    const next = found.has_more && last ? url({ after: last.id }) : null
    return { count: found.count, next, previous: first ? url({ after: undefined, before: first.id }) : null, messages }
  }
  const older = backwards || found.has_more
  const next =
    older && last ? url({ ...pageNumber(paging, number + 1), cursor: `b${last.seq}`, before: undefined }) : null
  const previous = number > 1 && first ? url({ ...pageNumber(paging, number - 1), cursor: `a${first.seq}` }) : null
  return { count: found.count, next, previous, messages }
}

/** Messages with whether they are read, and by whom if that was asked. @throws Refusal */
export async function messagePage<M extends ReadMessage>(
  caller: Database,
  asked: Asked,
): Promise<{ count: number; has_more: boolean; messages: M[] }> {
  const { count, has_more, messages, read_ids, readers } = await caller.rpc<Found>('message_page', asked)
  const read = new Set(read_ids)
  const shown = (await shownMessages(caller, messages)).map((message) => ({
    ...message,
    is_read: read.has(message.id),
    ...(readers && { read_by: readers[message.id] ?? [] }),
  }))
  return { count, has_more, messages: shown as Message[] as M[] }
}

// Who walks from a message on has no page numbers.
function pageNumber({ before }: Paging, number: number): Record<string, string | undefined> {
  return before === undefined ? { page: String(number) } : {}
}

/** The address of this call with other parameters. */
export function urlWith(request: Request, changes: Record<string, string | undefined>): string {
  const url = publicUrl(request)
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) url.searchParams.delete(name)
    else url.searchParams.set(name, value)
  }
  return url.href
}
