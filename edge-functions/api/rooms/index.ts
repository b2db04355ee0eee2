import type { Document } from '../route.ts'
import { createDirectChat } from './create-direct-chat.ts'
import { deleteRoom } from './delete-room.ts'
import { heartbeat } from './heartbeat.ts'
import { listMessages } from './list-messages.ts'
import { listOnlineUsers } from './list-online-users.ts'
import { listRooms } from './list-rooms.ts'
import { markMessageRead } from './mark-message-read.ts'
import { markOffline } from './mark-offline.ts'
import { markRoomRead } from './mark-room-read.ts'
import { searchMessages } from './search-messages.ts'
import { sendMessage } from './send-message.ts'

/** Chat rooms, unread counts and online presence. */
export const rooms: Document = {
  name: 'rooms',
  title: 'Rooms and presence',
  malformedId: 404,
  routes: [
    listRooms,
    createDirectChat,
    listMessages,
    sendMessage,
    markRoomRead,
    markMessageRead,
    deleteRoom,
    heartbeat,
    listOnlineUsers,
    markOffline,
    searchMessages,
  ],
}
