import { Client, fetchExchange, subscriptionExchange } from '@urql/core'
import { cacheExchange } from '@urql/exchange-graphcache'
import { relayPagination } from '@urql/exchange-graphcache/extras'
import { createClient } from 'graphql-ws'

export function urqlClient(url, headers = {}) {
  const socket = createClient({ url: url.replace('http', 'ws'), connectionParams: headers })
  const forwardSubscription = (request) => ({
    subscribe: (sink) => ({ unsubscribe: socket.subscribe({ ...request, query: request.query ?? '' }, sink) }),
  })
  const keys = { PipelineOptions: () => null, PipelineProgress: () => null, Checkpoint: () => null, Viewer: () => null }
  const cache = cacheExchange({ keys, resolvers: { Query: { pipelines: relayPagination() } } })
  const exchanges = [cache, fetchExchange, subscriptionExchange({ forwardSubscription })]
  return new Client({ url, exchanges, fetchOptions: { headers } })
}
