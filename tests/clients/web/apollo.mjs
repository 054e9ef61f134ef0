// Apollo Client, as docs/clients.md sets it up.
import assert from 'node:assert/strict'
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client'
import { Defer20220824Handler } from '@apollo/client/incremental'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { apolloClient } from './readme/apollo.mjs'
import { DELETE, counts, everyOperation } from './every-operation.mjs'
import * as support from './support.mjs'
import { operation } from './support.mjs'

const connect = (server) => apolloClient(`${server.url}/graphql`)
const document = (name) => gql(operation(name))

/** What a subscription says, up to its end. */
function heard(client, options, first = () => {}) {
  const said = []
  return new Promise((resolve, reject) => {
    client.subscribe(options).subscribe({
      next({ data, error }) {
        if (error) reject(error)
        said.push(data)
        if (said.length === 1) first()
      },
      error: reject,
      complete: () => resolve(said),
    })
  })
}

/** What a watched query shows once it is as it should be. */
const shown = (watched, as) =>
  new Promise((resolve, reject) => {
    watched.subscribe(({ data, error }) => (error ? reject(error) : data && as(data) && resolve(data)))
  })

/** Ask twice for a query that the server does not know, and tell the requests that this took. */
async function persisted(server, useGETForHashedQueries) {
  const link = new PersistedQueryLink({ sha256: support.sha256, useGETForHashedQueries })
  const http = new HttpLink({ uri: `${server.url}/graphql` })
  const query = gql(support.unseen())
  const made = support.requests()
  for (const client of [1, 2].map(() => new ApolloClient({ cache: new InMemoryCache(), link: link.concat(http) }))) {
    assert.equal((await client.query({ query })).data.viewer.organizationId, 'local')
  }
  support.assertPersisted(made)
  return made.map(({ method }) => method)
}

/** Apollo Client for every operation. */
function every(client) {
  return {
    watch(name, variables) {
      const shown = { data: undefined, whole: false }
      client.watchQuery({ query: document(name), variables }).subscribe(({ data, dataState, loading, error }) => {
        if (error) throw error
        Object.assign(shown, { data: data ?? shown.data, whole: dataState === 'complete' && !loading })
      })
      return shown
    },
    poll: (name, variables) => client.query({ query: document(name), variables, fetchPolicy: 'network-only' }),
    change: (name, variables) => client.mutate({ mutation: document(name), variables }),
    subscribe(name, variables) {
      const subscribed = client.subscribe({ query: document(name), variables }).subscribe(() => {})
      return () => subscribed.unsubscribe()
    },
  }
}

export const cells = {
  async 'every operation'(server) {
    const client = connect(server)
    const made = await everyOperation(server, every(client))
    await counts(made, (variables) => client.mutate({ mutation: gql(DELETE), variables }))
  },

  async query(server) {
    const { filter, names } = await server.project(2)
    const { data } = await connect(server).query({ query: document('Pipelines'), variables: { filter } })
    assert.deepEqual(data.pipelines.nodes.map(({ name }) => name).sort(), names)
    assert.equal(data.pipelines.totalCount, 2)
  },

  async mutation(server) {
    const variables = support.example('CreatePipeline')
    const { data } = await connect(server).mutate({ mutation: document('CreatePipeline'), variables })
    assert.deepEqual(data.createPipeline.userErrors, [])
    const { status, elements } = data.createPipeline.pipeline
    assert.equal(status, 'PENDING')
    assert.deepEqual(elements.map(({ name }) => name), ['datasheet', 'capacity'])
  },

  async 'user errors'(server) {
    const variables = { input: support.WRONG_INPUT }
    const { data } = await connect(server).mutate({ mutation: document('CreatePipeline'), variables })
    support.assertWrongInput(data.createPipeline)
  },

  async errors(server) {
    const client = connect(server)
    const field = await support.failure(client.query({ query: gql`{ pipelines(first: 0) { totalCount } }` }))
    assert.ok(CombinedGraphQLErrors.is(field))
    assert.deepEqual(field.errors[0].path, ['pipelines'])
    assert.deepEqual(field.errors[0].extensions, { code: 'BAD_USER_INPUT' })
    const request = await support.failure(client.query({ query: gql`{ nonsense }` }))
    assert.ok(CombinedGraphQLErrors.is(request))
    assert.equal(request.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED')
    const id = '00000000-0000-0000-0000-000000000000'
    const watched = await support.failure(heard(client, { query: document('PipelineUpdated'), variables: { id } }))
    assert.equal(watched.errors[0].extensions.code, 'NOT_FOUND')
  },

  async 'API key'(server) {
    const { locked, headers } = server
    const query = document('Viewer')
    const refused = await support.failure(apolloClient(`${locked}/graphql`).query({ query }))
    assert.equal(refused.errors[0].extensions.code, 'UNAUTHENTICATED')
    const { data } = await apolloClient(`${locked}/graphql`, headers).query({ query })
    assert.equal(data.viewer.organizationId, 'lab')
  },

  async cache(server) {
    const { ids: [id] } = await server.project(1)
    const client = connect(server)
    const watched = client.watchQuery({ query: document('Pipeline'), variables: { id } })
    assert.equal((await shown(watched, () => true)).pipeline.description, null)
    const changed = shown(watched, ({ pipeline }) => pipeline.description === 'new')
    const made = support.requests()
    const variables = { id, input: { description: 'new' } }
    await client.mutate({ mutation: document('UpdatePipeline'), variables })
    const { pipeline } = await changed
    assert.equal(pipeline.name, '1')
    assert.deepEqual(pipeline.elements.map(({ jobConfig }) => jobConfig), [{ values: { a: 1 } }])
    assert.equal(made.length, 1)
  },

  async pages(server) {
    const { filter, names } = await server.project(7)
    const watched = connect(server).watchQuery({ query: gql(support.PAGES), variables: { filter, first: 3 } })
    let page = (await shown(watched, () => true)).pipelines.pageInfo
    for (const loaded of [6, 7]) {
      await watched.fetchMore({ variables: { after: page.endCursor } })
      const { pipelines } = await shown(watched, ({ pipelines }) => pipelines.edges.length >= loaded)
      assert.deepEqual(pipelines.edges.map(({ node }) => node.name), names.slice(0, loaded))
      page = pipelines.pageInfo
    }
    assert.equal(page.hasNextPage, false)
  },

  async 'subscription by WebSocket'(server) {
    const { ids: [id] } = await server.project(1)
    const options = { query: document('PipelineUpdated'), variables: { id } }
    const said = await heard(connect(server), options, () => server.start(id))
    assert.equal(said[0].pipelineUpdated.status, 'PENDING')
    const last = said.at(-1).pipelineUpdated
    assert.deepEqual([last.status, last.isTerminal], ['COMPLETED', true])
    assert.deepEqual(last.elements.map(({ status }) => status), ['COMPLETED'])
  },

  async cancel(server) {
    const client = connect(server)
    const control = new AbortController()
    const context = { fetchOptions: { signal: control.signal } }
    const asked = support.failure(client.query({ query: document('Viewer'), context }))
    control.abort()
    assert.equal((await asked).name, 'AbortError')
    assert.equal((await client.query({ query: document('Viewer') })).data.viewer.organizationId, 'local')
  },

  async 'persisted queries'(server) {
    assert.deepEqual(await persisted(server, false), ['POST', 'POST', 'POST'])
  },

  async 'persisted queries by GET'(server) {
    assert.deepEqual(await persisted(server, true), ['GET', 'POST', 'GET'])
  },

  async '@defer'(server) {
    const incrementalHandler = new Defer20220824Handler()
    const link = new HttpLink({ uri: `${server.url}/graphql` })
    const client = new ApolloClient({ cache: new InMemoryCache(), link, incrementalHandler })
    const made = support.requests()
    const { ids: [id] } = await server.project(1)
    const error = await support.failure(client.query({ query: gql(support.DEFERRED), variables: { id } }))
    assert.equal(error.errors[0].message, support.NO_DEFER)
    assert.match(made[0].accept, /multipart\/mixed/)
    assert.equal(error.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED')
  },
}
