/** One part of the stack behind the gateway: `/rest/v1`, `/auth/v1` and so on. Paths arrive whole, prefix included. */
export interface Service {
  fetch(request: Request, caller: Caller): Response | Promise<Response>
  close(): Promise<void>
}

/** What the gateway knows about who is calling. */
export interface Caller {
  /** The IP address of the other end of the connection. */
  address: string
}
