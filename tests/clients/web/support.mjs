// What the tests of every client need: operations of `queries/`, and a Voltgraph to prepare, change and run things at.
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'

const queries = new URL('../../../queries/', import.meta.url)

/** The operation of a file of `queries/`. */
export const operation = (name) => readFileSync(new URL(`${name}.graphql`, queries), 'utf8')

/** The example variables of an operation of `queries/`. */
export const example = (name) => JSON.parse(readFileSync(new URL(`${name}.variables.json`, queries), 'utf8'))

/** A page of pipelines by name, as edges, which is what clients put together. */
export const PAGES = `query Pages($filter: PipelineFilter, $first: Int, $after: String) {
  pipelines(filter: $filter, orderBy: { field: NAME, direction: ASC }, first: $first, after: $after) {
    edges { cursor node { id name } }
    pageInfo { hasNextPage endCursor }
  }
}`

/** A query that no server has seen. */
export const unseen = () => `query Viewer_${randomUUID().replaceAll('-', '')} { viewer { organizationId } }`

export const sha256 = (text) => createHash('sha256').update(text).digest('hex')

/** The first request had the hash of a query alone, the second its text too, the third the hash alone again. */
export function assertPersisted(made) {
  const parts = made.map(({ sent }) => [sent.extensions !== undefined, sent.query !== undefined])
  assert.deepEqual(parts, [[true, false], [true, true], [true, false]])
}

export const WRONG_INPUT = { projectId: 'p', elementsByName: { fit: { element_type: 'data_fitt' }, known: 7 } }

/** What every client must be told of WRONG_INPUT. */
export function assertWrongInput({ pipeline, userErrors }) {
  assert.equal(pipeline, null)
  assert.deepEqual(
    userErrors.map(({ code, field }) => [code, field.join('.')]),
    [['INVALID', 'input.elementsByName.fit.element_type'], ['INVALID', 'input.elementsByName.known']],
  )
}

/** A document that is refused, and the message that says why. */
export const DEFERRED = `query Deferred($id: ID!) { pipeline(id: $id) { id ...Slow @defer } }
fragment Slow on Pipeline { status }`
export const NO_DEFER = "Unknown directive '@defer'."

/** A running Voltgraph; `locked` is the address of another, which needs `headers`. */
export class Server {
  constructor(url, locked, key) {
    this.url = url
    this.locked = locked
    this.headers = { 'x-api-key': key }
  }

  async send(name, variables) {
    const body = JSON.stringify({ query: operation(name), variables })
    const headers = { 'content-type': 'application/json' }
    return (await plainFetch(`${this.url}/graphql`, { method: 'POST', headers, body })).json()
  }

  /** Whether an operation has an answer without errors. */
  async answers(name, variables) {
    return (await this.send(name, variables)).errors === undefined
  }

  async payload(name, variables) {
    const answer = await this.send(name, variables)
    assert.equal(answer.errors, undefined, JSON.stringify(answer.errors))
    const [payload] = Object.values(answer.data)
    assert.deepEqual(payload.userErrors, [])
    return payload
  }

  async run(name, variables) {
    return (await this.payload(name, variables)).pipeline
  }

  create(fields) {
    const elements = [{ name: 'known', elementType: 'DIRECT_ENTRY', jobConfig: { values: { a: 1 } } }]
    return this.run('CreatePipeline', { input: { projectId: 'project', elements, ...fields } })
  }

  /** A project of its own with so many pipelines, named from `1`. */
  async project(count) {
    const projectId = randomUUID()
    const names = Array.from({ length: count }, (_, index) => String(index + 1))
    const made = []
    for (const name of names) made.push(await this.create({ projectId, name }))
    return { projectId, names, ids: made.map(({ id }) => id), filter: { projectId } }
  }

  rename(id, name) {
    return this.run('UpdatePipeline', { id, input: { name } })
  }

  start(id) {
    return this.run('StartPipeline', { id })
  }
}

const plainFetch = globalThis.fetch

/** The requests that clients make from now on, each with what answered it; `aborted` once one was. */
export function requests() {
  const made = []
  globalThis.fetch = async (input, init = {}) => {
    init.signal?.addEventListener('abort', () => (made.aborted = true))
    const answer = await plainFetch(input, init)
    const headers = new Headers(init.headers)
    const url = new URL(input)
    const sent = init.body ? JSON.parse(init.body) : Object.fromEntries(url.searchParams)
    const type = answer.headers.get('content-type').split(';')[0]
    made.push({ method: init.method ?? 'GET', accept: headers.get('accept'), sent, type, status: answer.status })
    return answer
  }
  return made
}

/** The error that a promise must end in. */
export async function failure(promise) {
  let answer
  try {
    answer = await promise
  } catch (error) {
    return error
  }
  assert.fail(`It did not fail but answered ${JSON.stringify(answer)}`)
}

/** A promise that is kept, or broken, from outside. */
export function deferred() {
  const made = {}
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }))
  return made
}

/** A door to a server: a port that can be closed with all its connections, as by a restart, and opened again. */
export async function door(url) {
  const { hostname, port } = new URL(url)
  const open = new Set()
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one)
      one.pipe(other)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
  })
  const listen = (at) => new Promise((listening) => server.listen(at, '127.0.0.1', listening))
  await listen(0)
  const address = server.address()
  return {
    url: `http://127.0.0.1:${address.port}`,
    reopen: () => listen(address.port),
    close() {
      server.close()
      for (const each of open) each.destroy()
      open.clear()
    },
  }
}

/** A subscription goes on after its server was away for longer than the first attempt to connect again. */
export async function assertResumes(server, connect) {
  const { ids: [id] } = await server.project(1)
  const entrance = await door(server.url)
  const watched = connect(entrance.url).iterate({ query: operation('PipelineUpdated'), variables: { id } })
  assert.equal((await watched.next()).value.data.pipelineUpdated.id, id)
  entrance.close()
  const resumed = watched.next()
  await new Promise((later) => setTimeout(later, 2500))
  await entrance.reopen()
  assert.equal((await resumed).value.data.pipelineUpdated.id, id)
  await watched.return()
  entrance.close()
}
