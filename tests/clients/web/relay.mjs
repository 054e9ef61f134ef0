// Relay: its compiler over our SDL and `relay/`, and its runtime without React.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import relay from 'relay-runtime'
import { relayEnvironment } from './readme/relay.mjs'
import { everyOperation, named } from './every-operation.mjs'
import * as support from './support.mjs'

const { ConnectionHandler, Environment, Network, ROOT_ID, RecordSource, Store } = relay
const { commitMutation, createOperationDescriptor, fetchQuery, getRequest } = relay
const { getSingularSelector, requestSubscription } = relay
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const require = createRequire(import.meta.url)

/** Compile documents of `relay/`, against the SDL and what is added to it. Gives what finds an artifact by name, or the
 * documents by their hash. */
function compile(file, { more = '', config = 'relay.config.json' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'relay-'))
  process.on('exit', () => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'generated'))
  cpSync(here('../../../schema/schema.graphql'), join(folder, 'schema.graphql'))
  for (const each of [file, config]) cpSync(here(`relay/${each}`), join(folder, each))
  appendFileSync(join(folder, 'schema.graphql'), more)
  appendFileSync(join(folder, 'persisted.json'), '{}')
  const command = [require.resolve('relay-compiler/cli.js'), config]
  execFileSync(process.execPath, command, { cwd: folder, stdio: 'pipe' })
  const artifact = (name) => require(join(folder, 'generated', `${name}.graphql.js`))
  return Object.assign(artifact, { documents: () => JSON.parse(readFileSync(join(folder, 'persisted.json'))) })
}

/** Relay with its documents. */
function connect(server, url = server.url, headers = {}) {
  const artifact = compile('Pipelines.js')
  const environment = relayEnvironment(`${url}/graphql`, headers)
  return {
    artifact,
    environment,
    ask: (name, variables) => fetchQuery(environment, artifact(name), variables).toPromise(),
    change: (name, variables) =>
      new Promise((onCompleted, onError) =>
        commitMutation(environment, { mutation: artifact(name), variables, onCompleted, onError }),
      ),
    /** What a fragment reads of the store. */
    read: (name, key) => environment.lookup(getSingularSelector(artifact(name), key)).data,
  }
}

/** The pages loaded so far, and how to load more: what usePaginationFragment does. */
async function pages(app, filter) {
  const key = await app.ask('PipelinesQuery', { filter })
  const read = () => app.read('Pipelines_page', key).pipelines
  const { paginationRequest, paginationMetadata } = relay.getPaginationMetadata(app.artifact('Pipelines_page'), 'pages')
  const loadNext = (count) => {
    const { endCursor } = read().pageInfo
    const variables = relay.getPaginationVariables('forward', count, endCursor, { filter }, {}, paginationMetadata)
    return fetchQuery(app.environment, paginationRequest, variables).toPromise()
  }
  return { names: () => read().edges.map(({ node }) => node.name), more: () => read().pageInfo.hasNextPage, loadNext }
}

const DECLARED = 'directive @defer(label: String, if: Boolean! = true) on FRAGMENT_SPREAD'

const connection = (filter) => ConnectionHandler.getConnectionID(ROOT_ID, 'Pipelines_pipelines', { filter })

const KINDS = ['query', 'mutation', 'subscription']

/** Every operation of `queries/` compiled: in a module of its own each, because Relay wants operations named after it. */
function compileQueries() {
  const folder = mkdtempSync(join(tmpdir(), 'relay-'))
  process.on('exit', () => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'generated'))
  cpSync(here('../../../schema/schema.graphql'), join(folder, 'schema.graphql'))
  const config = JSON.parse(readFileSync(here('relay/relay.config.json')))
  writeFileSync(join(folder, 'relay.config.json'), JSON.stringify({ ...config, persistConfig: undefined }))
  const artifacts = {}
  for (const kind of KINDS) {
    for (const name of named(kind)) {
      artifacts[name] = `${name}${kind[0].toUpperCase()}${kind.slice(1)}`
      const text = support.operation(name).replaceAll(/^#.*$/gm, '').replace(`${kind} ${name}`, `${kind} ${artifacts[name]}`)
      const module = `import { graphql } from 'relay-runtime'\nexport const it = graphql\`${text}\``
      writeFileSync(join(folder, `${name}.js`), module)
    }
  }
  execFileSync(process.execPath, [require.resolve('relay-compiler/cli.js'), 'relay.config.json'], { cwd: folder, stdio: 'pipe' })
  return (name) => require(join(folder, 'generated', `${artifacts[name]}.graphql.js`))
}

/** Relay for every operation. A query shows what the store has of it, as `useLazyLoadQuery` does. */
function every(environment, artifact) {
  const fetched = (name, variables) => fetchQuery(environment, artifact(name), variables).toPromise()
  return {
    watch(name, variables) {
      const shown = { data: undefined, whole: false }
      const { fragment } = createOperationDescriptor(getRequest(artifact(name)), variables)
      const show = ({ data, isMissingData }) => Object.assign(shown, { data, whole: !isMissingData })
      fetched(name, variables).then(() => {
        const snapshot = environment.lookup(fragment)
        show(snapshot)
        environment.retain(createOperationDescriptor(getRequest(artifact(name)), variables))
        environment.subscribe(snapshot, show)
      })
      return shown
    },
    poll: fetched,
    change: (name, variables) =>
      new Promise((onCompleted, onError) =>
        commitMutation(environment, { mutation: artifact(name), variables, onCompleted, onError }),
      ),
    subscribe(name, variables) {
      const subscribed = requestSubscription(environment, { subscription: artifact(name), variables })
      return () => subscribed.dispose()
    },
  }
}

export const cells = {
  async 'every operation'(server) {
    const artifact = compileQueries()
    await everyOperation(server, every(relayEnvironment(`${server.url}/graphql`), artifact))
  },

  async query(server) {
    const { filter, names } = await server.project(2)
    assert.deepEqual((await pages(connect(server), filter)).names(), names)
  },

  async mutation(server) {
    const { ids: [id], filter, names } = await server.project(3)
    const app = connect(server)
    const page = await pages(app, filter)
    const connections = [connection(filter)]
    const input = { ...filter, name: 'new', elements: [] }
    input.elements.push({ name: 'known', elementType: 'DIRECT_ENTRY', jobConfig: { values: {} } })
    const { createPipeline } = await app.change('PipelinesCreateMutation', { input, connections })
    assert.deepEqual(createPipeline.userErrors, [])
    assert.deepEqual(page.names(), ['new', ...names])
    const { deletePipeline } = await app.change('PipelinesDeleteMutation', { id, connections })
    assert.equal(deletePipeline.deletedPipelineId, id)
    assert.deepEqual(page.names(), ['new', ...names.slice(1)])
  },

  async 'user errors'(server) {
    const variables = { input: support.WRONG_INPUT, connections: [] }
    support.assertWrongInput((await connect(server).change('PipelinesCreateMutation', variables)).createPipeline)
  },

  async errors(server) {
    const error = await support.failure(connect(server).ask('PipelinesWrongQuery', {}))
    assert.deepEqual(error.source.errors[0].extensions, { code: 'BAD_USER_INPUT' })
    assert.deepEqual(error.source.errors[0].path, ['pipelines'])
  },

  async 'API key'(server) {
    const { locked, headers } = server
    const variables = { filter: {} }
    const refused = await support.failure(connect(server, locked).ask('PipelinesQuery', variables))
    assert.equal(refused.source.errors[0].extensions.code, 'UNAUTHENTICATED')
    const page = await pages(connect(server, locked, headers), { projectId: 'none' })
    assert.deepEqual(page.names(), [])
  },

  async cache(server) {
    const { ids: [id] } = await server.project(1)
    const app = connect(server)
    const key = (await app.ask('PipelinesOneQuery', { id })).pipeline
    const selector = getSingularSelector(app.artifact('Pipelines_pipeline'), key)
    const seen = support.deferred()
    app.environment.subscribe(app.environment.lookup(selector), ({ data }) => seen.resolve(data))
    await app.change('PipelinesUpdateMutation', { id, input: { name: 'new' } })
    assert.equal((await seen.promise).name, 'new')
  },

  async pages(server) {
    const { filter, names } = await server.project(8)
    const page = await pages(connect(server), filter)
    for (const loaded of [3, 6, 8]) {
      assert.deepEqual(page.names(), names.slice(0, loaded))
      assert.equal(page.more(), loaded < 8)
      if (loaded < 8) await page.loadNext(3)
    }
  },

  async 'refetch by id'(server) {
    const { ids: [id] } = await server.project(1)
    const app = connect(server)
    const key = (await app.ask('PipelinesOneQuery', { id })).pipeline
    assert.equal(app.read('Pipelines_pipeline', key).name, '1')
    await server.rename(id, 'new')
    await app.ask('PipelinesPipelineQuery', { id })
    assert.equal(app.read('Pipelines_pipeline', key).name, 'new')
  },

  async 'subscription by WebSocket'(server) {
    const { ids: [id] } = await server.project(1)
    const app = connect(server)
    const said = []
    await new Promise((onCompleted, onError) =>
      requestSubscription(app.environment, {
        subscription: app.artifact('PipelinesSubscription'),
        variables: { id },
        onCompleted,
        onError,
        onNext({ pipelineUpdated }) {
          if (said.push(app.read('Pipelines_pipeline', pipelineUpdated)) === 1) server.start(id)
        },
      }),
    )
    assert.equal(said[0].status, 'PENDING')
    assert.equal(said.at(-1).status, 'COMPLETED')
    assert.deepEqual(said.at(-1).elements.map(({ status }) => status), ['COMPLETED'])
  },

  async cancel(server) {
    const { ids: [id] } = await server.project(1)
    const app = connect(server)
    const seen = support.deferred()
    const { environment, artifact } = app
    const options = { subscription: artifact('PipelinesSubscription'), variables: { id }, onNext: seen.resolve }
    const watched = requestSubscription(environment, { ...options, onError: seen.reject })
    const key = (await seen.promise).pipelineUpdated
    watched.dispose()
    await server.rename(id, 'new')
    assert.equal(app.read('Pipelines_pipeline', key).name, '1')
    assert.equal((await app.ask('PipelinesOneQuery', { id })).pipeline.id, id)
  },

  async 'persisted queries'(server) {
    const { ids: [id] } = await server.project(1)
    const artifact = compile('Pipelines.js', { config: 'persisted.config.json' })
    const post = async (body) => {
      const sent = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
      return (await fetch(`${server.url}/graphql`, sent)).json()
    }
    const { params } = artifact('PipelinesOneQuery')
    assert.equal(params.text, null)
    await post({ documentId: params.id, query: artifact.documents()[params.id], variables: { id } })
    const network = Network.create(({ id: documentId }, variables) => post({ documentId, variables }))
    const environment = new Environment({ network, store: new Store(new RecordSource()) })
    const { pipeline } = await fetchQuery(environment, artifact('PipelinesOneQuery'), { id }).toPromise()
    assert.equal(environment.lookup(getSingularSelector(artifact('Pipelines_pipeline'), pipeline)).data.name, '1')
  },

  async '@defer'(server) {
    assert.throws(() => compile('Late.js'), /Unknown directive 'defer'/)
    const declared = compile('Late.js', { more: DECLARED })
    const environment = relayEnvironment(`${server.url}/graphql`)
    const asked = fetchQuery(environment, declared('LateQuery'), { id: '1' }).toPromise()
    assert.equal((await support.failure(asked)).source.errors[0].message, support.NO_DEFER)
  },
}
