import { Refusal } from '../../_shared/refusal.ts'
import type { Document } from '../route.ts'
import { deleteMessage } from './delete-message.ts'
import { editMessage } from './edit-message.ts'
import { generateUploadUrl } from './generate-upload-url.ts'
import { getConversation } from './get-conversation.ts'
import { listConversations } from './list-conversations.ts'
import { markRead } from './mark-read.ts'
import { react } from './react.ts'
import { sendMessage } from './send-message.ts'
import { startConversation } from './start-conversation.ts'

const notMine = ['room_not_found', 'message_not_found', 'not_a_member', 'not_the_author']

/** Conversations between buyers and sellers, about a product perhaps. */
export const messaging: Document = {
  name: 'messaging',
  title: 'Messaging',
  malformedId: 404,
  routes: [
    listConversations,
    startConversation,
    getConversation,
    sendMessage,
    markRead,
    editMessage,
    deleteMessage,
    react,
    generateUploadUrl,
  ],
  // What is not mine is answered like what does not exist, to the letter.
  refuse(refusal) {
    if (!notMine.includes(refusal.code)) return refusal
    return new Refusal(404, 'not_found', 'There is no such conversation or message.')
  },
}
