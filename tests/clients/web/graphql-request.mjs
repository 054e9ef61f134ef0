// graphql-request: one request, one answer.
import assert from 'node:assert/strict'
import { GraphQLClient } from 'graphql-request'
import { createPipeline, requestClient } from './readme/graphql-request.mjs'
import * as support from './support.mjs'
import { operation } from './support.mjs'

const connect = (server) => requestClient(`${server.url}/graphql`)

export const cells = {
  async query(server) {
    const { filter, names } = await server.project(2)
    const { pipelines } = await connect(server).request(operation('Pipelines'), { filter })
    assert.deepEqual(pipelines.nodes.map(({ name }) => name).sort(), names)
  },

  async mutation(server) {
    const { input } = support.example('CreatePipeline')
    const { elements } = await createPipeline(connect(server), operation('CreatePipeline'), input)
    assert.deepEqual(elements.map(({ name }) => name), ['datasheet', 'capacity'])
  },

  async 'user errors'(server) {
    const client = connect(server)
    const variables = { input: support.WRONG_INPUT }
    support.assertWrongInput((await client.request(operation('CreatePipeline'), variables)).createPipeline)
    const told = await support.failure(createPipeline(client, operation('CreatePipeline'), support.WRONG_INPUT))
    assert.match(told.message, /'data_fitt' is no element type\..*must be an object\.$/)
  },

  async errors(server) {
    const client = connect(server)
    const field = await support.failure(client.request('{ pipelines(first: 0) { totalCount } }'))
    assert.deepEqual(field.response.errors[0].extensions, { code: 'BAD_USER_INPUT' })
    const request = await support.failure(client.request('{ nonsense }'))
    assert.equal(request.response.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED')
    assert.equal(request.response.status, 400)
  },

  async 'API key'(server) {
    const { locked, headers } = server
    const refused = await support.failure(requestClient(`${locked}/graphql`).request(operation('Viewer')))
    assert.equal(refused.response.errors[0].extensions.code, 'UNAUTHENTICATED')
    const { viewer } = await requestClient(`${locked}/graphql`, headers).request(operation('Viewer'))
    assert.equal(viewer.organizationId, 'lab')
  },

  async GET(server) {
    const { ids: [id] } = await server.project(1)
    const made = support.requests()
    const client = new GraphQLClient(`${server.url}/graphql`, { method: 'GET', fetch: globalThis.fetch })
    assert.equal((await client.request(operation('Pipeline'), { id })).pipeline.name, '1')
    assert.equal(made[0].method, 'GET')
    assert.equal((await client.request(operation('DeletePipeline'), { id })).deletePipeline.deletedPipelineId, id)
    assert.equal(made[1].method, 'POST')
  },

  async cancel(server) {
    const control = new AbortController()
    const asked = connect(server).request({ document: operation('Viewer'), signal: control.signal })
    control.abort()
    assert.equal((await support.failure(asked)).name, 'AbortError')
  },

  async '@defer'(server) {
    const error = await support.failure(connect(server).request(support.DEFERRED, { id: '1' }))
    assert.equal(error.response.errors[0].message, support.NO_DEFER)
  },
}
