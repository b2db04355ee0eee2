/** Shows what is being done, and how long each step took. */
export class Progress {
  #since = 0
  #running = false

  step(what: string): void {
    this.end()
    this.#since = performance.now()
    this.#running = true
    process.stdout.write(`${what} … `)
  }

  /** Something that the developer should know, between two steps. */
  note(what: string): void {
    this.end()
    console.log(what)
  }

  end(): void {
    if (this.#running) console.log(`${((performance.now() - this.#since) / 1000).toFixed(1)} s`)
    this.#running = false
  }
}
