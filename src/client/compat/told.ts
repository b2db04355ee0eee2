import type { Message, Reaction } from './messages.ts'

interface State {
  change_seq: number
  edited_at: string | null
  is_deleted: boolean
  reactions: string
}

/** What has been told of each message, so that nothing is told twice, nor the older after the newer. */
export class Told {
  // The newest first go last: so many messages are changed again, if any.
  readonly #states = new Map<string, State>()

  isNews(messageId: string, changeSeq: number): boolean {
    return changeSeq > (this.#states.get(messageId)?.change_seq ?? -1)
  }

  remember(message: Message): void {
    this.#set(message.id, {
      change_seq: message.change_seq,
      edited_at: message.edited_at,
      is_deleted: message.is_deleted,
      reactions: JSON.stringify(message.reactions),
    })
  }

  rememberReactions(messageId: string, changeSeq: number, reactions: Reaction[]): void {
    const state = this.#states.get(messageId) ?? { edited_at: null, is_deleted: false }
    this.#set(messageId, { ...state, change_seq: changeSeq, reactions: JSON.stringify(reactions) })
  }

  /** Which events this state of a message would have come with. Of what was never told it may be more than happened. */
  newsOf(message: Message): string[] {
    const state = this.#states.get(message.id)
    if (message.is_deleted) return state?.is_deleted ? [] : ['message-deleted']
    if (state?.is_deleted) return ['message-restored']
    const isEdited = state ? message.edited_at !== state.edited_at : message.is_edited
    const isReactedTo = state
      ? JSON.stringify(message.reactions) !== state.reactions
      : message.reactions.length > 0 || !message.is_edited
    return [...(isEdited ? ['message-edited'] : []), ...(isReactedTo ? ['message-reaction'] : [])]
  }

  #set(messageId: string, state: State): void {
    this.#states.delete(messageId)
    this.#states.set(messageId, state)
    const [oldest] = this.#states.keys()
    if (this.#states.size > 5000 && oldest) this.#states.delete(oldest)
  }
}
