import { inject } from 'vitest'
import WebSocket from 'ws'
import { createCompat } from '../../src/client/compat/index.ts'
import { tokenOf } from '../http/http.ts'
import type { Person } from './people.ts'

// Nobody answers there.
const nowhere = 'ws://127.0.0.1:9'

/** An old front end of somebody's, whose connections can be cut, and kept from coming back for a while. */
export async function frontEndOf(person: Person, tokenNow?: () => string) {
  const connections: WebSocket[] = []
  let isDown = false
  class Transport extends WebSocket {
    constructor(address: string | URL, protocols?: string[]) {
      super(isDown ? nowhere : address, protocols)
      connections.push(this)
    }
  }
  const { url, publishableKey: key } = inject('stack')
  const token = await tokenOf(person)
  return {
    ...createCompat({ url, key, token: tokenNow ?? (() => token), transport: Transport }),
    token,
    cut: () => {
      for (const connection of connections) connection.terminate()
    },
    setDown: (down: boolean) => {
      isDown = down
    },
  }
}

/** What was heard, and a way to wait for the next that fits. */
export class Heard<T extends object> {
  readonly all: T[] = []
  #wake = () => {}
  readonly #taken = new Set<T>()

  push(one: T): void {
    this.all.push(one)
    this.#wake()
  }

  async next(fits: (one: T) => boolean): Promise<T> {
    for (;;) {
      const found = this.all.find((one) => !this.#taken.has(one) && fits(one))
      if (found) {
        this.#taken.add(found)
        return found
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

// biome-ignore lint/suspicious/noExplicitAny: tests read what they know is there, and fail when it is not
type Told = any

/** An open socket of the messaging front end, or of a room's. */
export async function openSocket(person: Person, path = '/ws/messaging/') {
  const frontEnd = await frontEndOf(person)
  const socket = new frontEnd.WebSocket(`ws://localhost:8000${path}?token=${frontEnd.token}`)
  const heard = new Heard<Told>()
  socket.onmessage = ({ data = '' }) => heard.push(JSON.parse(data))
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve()
    socket.onclose = ({ reason }) => reject(new Error(reason))
  })
  const next = (type: string): Promise<Told> => heard.next((told) => told.type === type)
  return { ...frontEnd, socket, next, all: heard.all }
}
