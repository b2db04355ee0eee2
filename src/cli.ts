// Checked before anything else is loaded: an old Node would stop at the first file it cannot read.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Parley needs Node 20.19 or newer; this is ${process.version}. See https://nodejs.org`)
  process.exit(1)
}

const { runCommand } = await import('./commands/run-command.ts')
await runCommand(process.argv.slice(2))

export {}
