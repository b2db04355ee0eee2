import type { Document } from '../route.ts'
import { bulkDelete } from './bulk-delete.ts'
import { deleteMessage } from './delete-message.ts'
import { downloadArchive } from './download-archive.ts'
import { editMessage } from './edit-message.ts'
import { listMessages } from './list-messages.ts'
import { sendMessage } from './send-message.ts'
import { trackDownload } from './track-download.ts'
import { undoDelete } from './undo-delete.ts'
import { uploadFiles } from './upload-files.ts'

/** Guests and staff of a hotel: deleting, downloading and who did it. */
export const hotel: Document = {
  name: 'hotel',
  title: 'Guests and staff of a hotel',
  malformedId: 400,
  routes: [
    listMessages,
    sendMessage,
    uploadFiles,
    deleteMessage,
    editMessage,
    trackDownload,
    undoDelete,
    bulkDelete,
    downloadArchive,
  ],
}
