import type { Document } from '../route.ts'
import { archiveChat } from './archive-chat.ts'
import { clearChat } from './clear-chat.ts'
import { countUnread } from './count-unread.ts'
import { deleteChat } from './delete-chat.ts'
import { forwardMessage } from './forward-message.ts'
import { listKeys } from './list-keys.ts'
import { listMessages } from './list-messages.ts'
import { listRooms } from './list-rooms.ts'
import { readRooms } from './read-rooms.ts'
import { sendMessage } from './send-message.ts'
import { setReadStatus } from './set-read-status.ts'
import { uploadKey } from './upload-key.ts'
import { verifyKey } from './verify-key.ts'

/** The mobile app: deleting, clearing, archiving, unread counts, forwarding and keys. */
export const mobile: Document = {
  name: 'mobile',
  title: 'The mobile app',
  malformedId: 404,
  routes: [
    listRooms,
    deleteChat,
    clearChat,
    archiveChat,
    listMessages,
    sendMessage,
    countUnread,
    setReadStatus,
    readRooms,
    forwardMessage,
    uploadKey,
    listKeys,
    verifyKey,
  ],
}
