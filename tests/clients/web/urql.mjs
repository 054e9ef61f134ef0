// urql: as docs/clients.md sets it up, and with its simpler parts.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Client, cacheExchange, fetchExchange } from '@urql/core'
import { buildSchema, introspectionFromSchema } from 'graphql'
import { persistedExchange } from '@urql/exchange-persisted'
import { urqlClient } from './readme/urql.mjs'
import { DELETE, counts, everyOperation } from './every-operation.mjs'
import * as support from './support.mjs'
import { operation } from './support.mjs'

const sdl = readFileSync(new URL('../../../schema/schema.graphql', import.meta.url), 'utf8')
const schema = introspectionFromSchema(buildSchema(sdl))
const connect = (server) => urqlClient(`${server.url}/graphql`, {}, schema)

/** A client of urql's core alone. */
const plain = (server, exchanges, more = {}) =>
  new Client({ url: `${server.url}/graphql`, preferGetMethod: false, exchanges, ...more })

async function data(result) {
  const { data, error } = await result
  if (error) throw error
  return data
}

/** What a query shows once it is as it should be; it is watched until then. */
const shown = (client, name, variables, as) =>
  new Promise((resolve, reject) => {
    const { unsubscribe } = client.query(operation(name), variables).subscribe(({ data, error, stale }) => {
      if (error) reject(error)
      else if (!stale && as(data)) resolve(data)
      else return
      setImmediate(() => unsubscribe())
    })
  })

/** A pipeline's subscription, from its start to the end of its run. */
async function watchedRun(server, client) {
  const { ids: [id] } = await server.project(1)
  const ended = support.deferred()
  const said = []
  client.subscription(operation('PipelineUpdated'), { id }).subscribe(({ data, error }) => {
    if (error) return ended.reject(error)
    if (said.push(data.pipelineUpdated) === 1) server.start(id)
    if (data.pipelineUpdated.isTerminal) ended.resolve()
  })
  await ended.promise
  assert.equal(said[0].status, 'PENDING')
  assert.equal(said.at(-1).status, 'COMPLETED')
  assert.deepEqual(said.at(-1).elements.map(({ status }) => status), ['COMPLETED'])
}

/** Rename a pipeline by a mutation; what watches it must show the new name. */
async function renamed(server, client) {
  const { ids: [id] } = await server.project(1)
  const seen = support.deferred()
  client.query(operation('Pipeline'), { id }).subscribe(({ data, error, stale }) => {
    if (error) seen.reject(error)
    if (!stale && data.pipeline.name === 'new') seen.resolve(data.pipeline)
  })
  await shown(client, 'Pipeline', { id }, ({ pipeline }) => pipeline.name === '1')
  const made = support.requests()
  await data(client.mutation(operation('UpdatePipeline'), { id, input: { name: 'new' } }))
  assert.deepEqual((await seen.promise).elements.map(({ jobConfig }) => jobConfig), [{ values: { a: 1 } }])
  return made.length
}

/** Ask twice for a query that the server does not know, and tell the requests that this took. */
async function persisted(server, preferGetForPersistedQueries) {
  const exchanges = [persistedExchange({ preferGetForPersistedQueries }), fetchExchange]
  const client = plain(server, exchanges)
  const query = support.unseen()
  const made = support.requests()
  for (const _ of [1, 2]) assert.equal((await data(client.query(query, {}))).viewer.organizationId, 'local')
  support.assertPersisted(made)
  return made.map(({ method }) => method)
}

/** urql with graphcache for every operation. */
function every(client) {
  return {
    watch(name, variables) {
      const shown = { data: undefined, whole: false }
      client.query(operation(name), variables).subscribe(({ data, error, stale }) => {
        if (error) throw error
        Object.assign(shown, { data, whole: !stale })
      })
      return shown
    },
    poll: (name, variables) => client.query(operation(name), variables, { requestPolicy: 'network-only' }).toPromise(),
    change: (name, variables) => data(client.mutation(operation(name), variables)),
    subscribe: (name, variables) => client.subscription(operation(name), variables).subscribe(() => {}).unsubscribe,
  }
}

export const cells = {
  async 'every operation'(server) {
    const client = connect(server)
    const made = await everyOperation(server, every(client))
    await counts(made, (variables) => data(client.mutation(DELETE, variables)))
  },

  async query(server) {
    const { filter, names } = await server.project(2)
    const made = support.requests()
    const { pipelines } = await data(connect(server).query(operation('Pipelines'), { filter }))
    assert.deepEqual(pipelines.nodes.map(({ name }) => name).sort(), names)
    assert.match(made[0].accept, /text\/event-stream/)
    assert.equal(made[0].type, 'application/graphql-response+json')
  },

  async mutation(server) {
    const made = support.requests()
    const client = connect(server)
    const { createPipeline } = await data(
      client.mutation(operation('CreatePipeline'), support.example('CreatePipeline')),
    )
    assert.deepEqual(createPipeline.userErrors, [])
    assert.deepEqual(createPipeline.pipeline.elements.map(({ name }) => name), ['datasheet', 'capacity'])
    assert.equal(made[0].type, 'application/graphql-response+json')
  },

  async 'user errors'(server) {
    const variables = { input: support.WRONG_INPUT }
    const { createPipeline } = await data(connect(server).mutation(operation('CreatePipeline'), variables))
    support.assertWrongInput(createPipeline)
  },

  async errors(server) {
    const client = plain(server, [fetchExchange])
    const field = await client.query('{ pipelines(first: 0) { totalCount } }', {})
    assert.deepEqual(field.error.graphQLErrors[0].extensions, { code: 'BAD_USER_INPUT' })
    assert.deepEqual(field.error.graphQLErrors[0].path, ['pipelines'])
    const request = await client.query('{ nonsense }', {})
    assert.equal(request.error.graphQLErrors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED')
    assert.equal(request.error.response.status, 400)
  },

  async 'API key'(server) {
    const { locked, headers } = server
    const refused = await urqlClient(`${locked}/graphql`, {}, schema).query(operation('Viewer'), {})
    assert.equal(refused.error.graphQLErrors[0].extensions.code, 'UNAUTHENTICATED')
    const { viewer } = await data(urqlClient(`${locked}/graphql`, headers, schema).query(operation('Viewer'), {}))
    assert.equal(viewer.organizationId, 'lab')
  },

  async GET(server) {
    const { ids: [id] } = await server.project(1)
    const made = support.requests()
    const client = plain(server, [fetchExchange], { preferGetMethod: 'force' })
    assert.equal((await data(client.query(operation('Pipeline'), { id }))).pipeline.name, '1')
    assert.equal(made[0].method, 'GET')
  },

  async cache(server) {
    assert.equal(await renamed(server, connect(server)), 1)
  },

  async 'document cache'(server) {
    assert.equal(await renamed(server, plain(server, [cacheExchange, fetchExchange])), 2)
  },

  async pages(server) {
    const { filter, names } = await server.project(7)
    const client = connect(server)
    let after = null
    for (const loaded of [3, 6, 7]) {
      const { pipelines } = await data(client.query(support.PAGES, { filter, first: 3, after }))
      assert.deepEqual(pipelines.edges.map(({ node }) => node.name), names.slice(0, loaded))
      after = pipelines.pageInfo.endCursor
      assert.equal(pipelines.pageInfo.hasNextPage, loaded < 7)
    }
  },

  async 'subscription by WebSocket'(server) {
    await watchedRun(server, connect(server))
  },

  async 'subscription by events'(server) {
    const made = support.requests()
    await watchedRun(server, plain(server, [fetchExchange], { fetchSubscriptions: true }))
    assert.equal(made.find(({ accept }) => accept)?.type, 'text/event-stream')
  },

  async cancel(server) {
    const { ids: [id] } = await server.project(1)
    const made = support.requests()
    const client = plain(server, [fetchExchange], { fetchSubscriptions: true })
    const seen = support.deferred()
    const watched = client.subscription(operation('PipelineUpdated'), { id }).subscribe(seen.resolve)
    assert.equal((await seen.promise).data.pipelineUpdated.name, '1')
    watched.unsubscribe()
    assert.equal(made.aborted, true)
    assert.equal((await data(client.query(operation('Viewer'), {}))).viewer.organizationId, 'local')
  },

  async 'persisted queries'(server) {
    assert.deepEqual(await persisted(server, false), ['POST', 'POST', 'POST'])
  },

  async 'persisted queries by GET'(server) {
    assert.deepEqual(await persisted(server, 'force'), ['GET', 'GET', 'GET'])
  },

  async '@defer'(server) {
    const { ids: [id] } = await server.project(1)
    const { error } = await plain(server, [fetchExchange]).query(support.DEFERRED, { id })
    assert.equal(error.graphQLErrors[0].message, support.NO_DEFER)
  },
}
