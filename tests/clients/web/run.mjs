// Runs one cell of the table, at a running Voltgraph: node run.mjs CLIENT FEATURE URL LOCKED_URL KEY
// With no feature: prints which a client has.
import { WebSocket } from 'ws'
import { Server } from './support.mjs'

globalThis.WebSocket ??= WebSocket // every browser has one; node from 22
const [client, feature, ...server] = process.argv.slice(2)
const { cells } = await import(`./${client}.mjs`)
if (feature) await cells[feature](new Server(...server))
else console.log(JSON.stringify(Object.keys(cells)))
