// graphql-ws by itself: the client of docs/clients.md, and what goes wrong on a socket.
import assert from 'node:assert/strict'
import { socketClient, watch } from './readme/graphql-ws.mjs'
import * as support from './support.mjs'
import { operation } from './support.mjs'

const connect = (server, more) => socketClient(`${server.url}/graphql`, {}, more)

/** The one answer to a query or a mutation. */
async function answer(client, query, variables) {
  const answers = []
  for await (const each of client.iterate({ query, variables })) answers.push(each)
  assert.equal(answers.length, 1)
  return answers[0]
}

export const cells = {
  async 'server restart'(server) {
    await support.assertResumes(server, (url) => socketClient(`${url}/graphql`))
  },

  async query(server) {
    const { filter, names } = await server.project(2)
    const client = connect(server)
    const { data } = await answer(client, operation('Pipelines'), { filter })
    assert.deepEqual(data.pipelines.nodes.map(({ name }) => name).sort(), names)
    await client.dispose()
  },

  async mutation(server) {
    const { data } = await answer(connect(server), operation('CreatePipeline'), support.example('CreatePipeline'))
    assert.deepEqual(data.createPipeline.userErrors, [])
    assert.deepEqual(data.createPipeline.pipeline.elements.map(({ name }) => name), ['datasheet', 'capacity'])
  },

  async 'user errors'(server) {
    const { data } = await answer(connect(server), operation('CreatePipeline'), { input: support.WRONG_INPUT })
    support.assertWrongInput(data.createPipeline)
  },

  async errors(server) {
    const client = connect(server)
    const { errors } = await answer(client, '{ pipelines(first: 0) { totalCount } }')
    assert.deepEqual(errors[0].extensions, { code: 'BAD_USER_INPUT' })
    const [error] = await support.failure(answer(client, '{ nonsense }'))
    assert.equal(error.extensions.code, 'GRAPHQL_VALIDATION_FAILED')
  },

  async 'API key'(server) {
    const { locked, headers } = server
    const stranger = socketClient(`${locked}/graphql`, {}, { retryAttempts: 0 })
    assert.equal((await support.failure(answer(stranger, operation('Viewer')))).code, 4403)
    const { data } = await answer(socketClient(`${locked}/graphql`, headers), operation('Viewer'))
    assert.equal(data.viewer.organizationId, 'lab')
  },

  async 'subscription by WebSocket'(server) {
    const { ids: [id] } = await server.project(1)
    const said = []
    await watch(connect(server), operation('PipelineUpdated'), { id }, ({ pipelineUpdated }) => {
      if (said.push(pipelineUpdated) === 1) server.start(id)
    })
    assert.equal(said[0].status, 'PENDING')
    assert.deepEqual(said.at(-1).elements.map(({ status }) => status), ['COMPLETED'])
    assert.equal(said.at(-1).status, 'COMPLETED')
  },

  async cancel(server) {
    const { ids: [id, other] } = await server.project(2)
    const client = connect(server)
    const watched = client.iterate({ query: operation('PipelineUpdated'), variables: { id } })
    assert.equal((await watched.next()).value.data.pipelineUpdated.name, '1')
    await watched.return()
    assert.deepEqual(await watched.next(), { done: true, value: undefined })
    const { data } = await answer(client, operation('Pipeline'), { id: other })
    assert.equal(data.pipeline.name, '2')
  },

  async ping(server) {
    const ponged = support.deferred()
    const client = connect(server, {
      lazy: false,
      keepAlive: 1,
      onNonLazyError: ponged.reject,
      on: { pong: (received) => received && ponged.resolve() },
    })
    await ponged.promise
    await client.dispose()
  },

  async 'bad frames'(server) {
    const jsonMessageReplacer = (key, value) => (key === 'type' && value === 'subscribe' ? 'start' : value)
    const closed = await support.failure(answer(connect(server, { jsonMessageReplacer }), operation('Viewer')))
    assert.equal(closed.code, 4400)
    assert.match(closed.reason, /`type` is none that a client sends/)
    const { data } = await answer(connect(server), operation('Viewer'))
    assert.equal(data.viewer.organizationId, 'local')
  },

  async reconnect(server) {
    const { locked, headers } = server
    const owner = socketClient(`${locked}/graphql`, headers)
    const { data } = await answer(owner, operation('CreatePipeline'), support.example('CreatePipeline'))
    const { id } = data.createPipeline.pipeline
    let connections = 0
    const connectionParams = () => ({ ...headers, connection: ++connections })
    const client = socketClient(`${locked}/graphql`, {}, { connectionParams, retryWait: async () => {} })
    const watched = client.iterate({ query: operation('PipelineUpdated'), variables: { id } })
    assert.equal((await watched.next()).value.data.pipelineUpdated.id, id)
    client.terminate()
    assert.equal((await watched.next()).value.data.pipelineUpdated.id, id)
    assert.equal(connections, 2)
    await answer(owner, operation('UpdatePipeline'), { id, input: { name: 'new' } })
    assert.equal((await watched.next()).value.data.pipelineUpdated.name, 'new')
    await watched.return()
  },

  async '@defer'(server) {
    const [error] = await support.failure(answer(connect(server), support.DEFERRED, { id: '1' }))
    assert.equal(error.message, support.NO_DEFER)
  },
}
