import { ChatIo } from './chat-io.ts'
import { ChatSocket } from './chat-socket.ts'
import type { Project } from './project.ts'
import { Pusher as ProjectPusher } from './pusher.ts'

/** What old front ends call to hear what happens, over this project's Realtime. docs/compat.md shows each. */
export function createCompat(project: Project) {
  class WebSocket extends ChatSocket {
    constructor(address: string | URL) {
      super(project, address)
    }
  }
  class Pusher extends ProjectPusher {
    constructor(_key?: string, _options?: object) {
      super(project)
    }
  }
  const io = (_address?: string, { auth }: { auth?: { token?: string } } = {}) => {
    const { token } = auth ?? {}
    return new ChatIo(project, token === undefined ? project.token : () => token)
  }
  return { WebSocket, Pusher, io }
}
