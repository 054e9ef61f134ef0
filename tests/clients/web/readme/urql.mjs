import { Client, fetchExchange, subscriptionExchange } from '@urql/core'
import { cacheExchange } from '@urql/exchange-graphcache'
import { relayPagination } from '@urql/exchange-graphcache/extras'
import { createClient } from 'graphql-ws'

export function urqlClient(url, headers, schema) {
  const options = { url: url.replace('http', 'ws'), connectionParams: headers, shouldRetry: () => true }
  const socket = createClient(options)
  const forwardSubscription = (request) => ({
    subscribe: (sink) => ({ unsubscribe: socket.subscribe({ ...request, query: request.query ?? '' }, sink) }),
  })
  const embedded = schema.__schema.types.filter(({ fields }) => fields?.every(({ name }) => name !== 'id'))
  const keys = Object.fromEntries(embedded.map(({ name }) => [name, () => null])) // objects without ids
  const cache = cacheExchange({ schema, keys, resolvers: { Query: { pipelines: relayPagination() } } })
  const exchanges = [cache, fetchExchange, subscriptionExchange({ forwardSubscription })]
  return new Client({ url, exchanges, fetchOptions: { headers } })
}
