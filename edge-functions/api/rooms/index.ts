import type { Document } from '../route.ts'
import { createDirectChat } from './create-direct-chat.ts'
import { listMessages } from './list-messages.ts'
import { listRooms } from './list-rooms.ts'
import { sendMessage } from './send-message.ts'

/** Chat rooms, unread counts and online presence. */
export const rooms: Document = {
  name: 'rooms',
  title: 'Rooms and presence',
  malformedId: 404,
  routes: [listRooms, createDirectChat, listMessages, sendMessage],
}
