import type { Document } from '../route.ts'
import { addParticipants } from './add-participants.ts'
import { addReaction } from './add-reaction.ts'
import { countUnread } from './count-unread.ts'
import { createConversation } from './create-conversation.ts'
import { deleteAttachment } from './delete-attachment.ts'
import { deleteConversation } from './delete-conversation.ts'
import { deleteMessage } from './delete-message.ts'
import { editMessage } from './edit-message.ts'
import { getAttachmentUrl } from './get-attachment-url.ts'
import { getConversation } from './get-conversation.ts'
import { listConversations } from './list-conversations.ts'
import { listMessages } from './list-messages.ts'
import { listReceipts } from './list-receipts.ts'
import { markRead } from './mark-read.ts'
import { muteConversation } from './mute-conversation.ts'
import { getNotificationPreferences, setNotificationPreferences } from './notification-preferences.ts'
import { removeParticipant } from './remove-participant.ts'
import { removeReaction } from './remove-reaction.ts'
import { searchMessages } from './search-messages.ts'
import { sendMessage } from './send-message.ts'
import { updateConversation } from './update-conversation.ts'
import { uploadFiles } from './upload-files.ts'

/** The staff of a hotel among themselves: groups, reactions, mentions and files. */
export const staff: Document = {
  name: 'staff',
  title: 'Staff chat',
  malformedId: 404,
  routes: [
    listConversations,
    createConversation,
    getConversation,
    updateConversation,
    deleteConversation,
    addParticipants,
    removeParticipant,
    sendMessage,
    listMessages,
    editMessage,
    deleteMessage,
    addReaction,
    removeReaction,
    uploadFiles,
    deleteAttachment,
    getAttachmentUrl,
    markRead,
    listReceipts,
    countUnread,
    muteConversation,
    getNotificationPreferences,
    setNotificationPreferences,
    searchMessages,
  ],
}
