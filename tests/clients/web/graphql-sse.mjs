// graphql-sse: each operation on a connection of its own.
import assert from 'node:assert/strict'
import { eventClient, watch } from './readme/graphql-sse.mjs'
import * as support from './support.mjs'
import { operation } from './support.mjs'

const connect = (server) => eventClient(`${server.url}/graphql`)

/** The one answer to a query or a mutation. */
async function answer(client, query, variables) {
  const answers = []
  for await (const each of client.iterate({ query, variables })) answers.push(each)
  assert.equal(answers.length, 1)
  return answers[0]
}

export const cells = {
  async 'server restart'(server) {
    await support.assertResumes(server, (url) => eventClient(`${url}/graphql`))
  },

  async query(server) {
    const { filter, names } = await server.project(2)
    const { data } = await answer(connect(server), operation('Pipelines'), { filter })
    assert.deepEqual(data.pipelines.nodes.map(({ name }) => name).sort(), names)
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
    const field = await answer(client, '{ pipelines(first: 0) { totalCount } }')
    assert.deepEqual(field.errors[0].extensions, { code: 'BAD_USER_INPUT' })
    const request = await answer(client, '{ nonsense }')
    assert.equal(request.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED')
  },

  async 'API key'(server) {
    const { locked, headers } = server
    const stranger = eventClient(`${locked}/graphql`, {}, { retryAttempts: 0 })
    const refused = await support.failure(answer(stranger, operation('Viewer')))
    assert.equal(refused.response.status, 401)
    const { data } = await answer(eventClient(`${locked}/graphql`, headers), operation('Viewer'))
    assert.equal(data.viewer.organizationId, 'lab')
  },

  async 'subscription by events'(server) {
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
    const { ids: [id] } = await server.project(1)
    const client = connect(server)
    const watched = client.iterate({ query: operation('PipelineUpdated'), variables: { id } })
    assert.equal((await watched.next()).value.data.pipelineUpdated.name, '1')
    await watched.return()
    assert.deepEqual(await watched.next(), { done: true, value: undefined })
    assert.equal((await answer(client, operation('Pipeline'), { id })).data.pipeline.name, '1')
  },

  async 'single connection'(server) {
    const client = eventClient(`${server.url}/graphql`, {}, { singleConnection: true, retryAttempts: 0 })
    const refused = await support.failure(answer(client, operation('Viewer')))
    assert.equal(refused.response.status, 405)
  },

  async '@defer'(server) {
    const { errors } = await answer(connect(server), support.DEFERRED, { id: '1' })
    assert.equal(errors[0].message, support.NO_DEFER)
  },
}
