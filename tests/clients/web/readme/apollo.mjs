import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { relayStylePagination } from '@apollo/client/utilities'
import { createClient } from 'graphql-ws'

const parts = ['PipelineActions', 'PipelineOptions', 'PipelineProgress', 'Checkpoint', 'Failure', 'RateLimit', 'System']
const typePolicies = {
  Query: {
    fields: {
      pipelines: relayStylePagination(['filter', 'orderBy']), // select `edges`: it puts those together, not `nodes`
      measurements: relayStylePagination(['filter', 'orderBy']),
      cellSpecifications: relayStylePagination(['projectId']),
      cellInstances: relayStylePagination(['projectId', 'cellSpecificationId']),
    },
  },
  ...Object.fromEntries(parts.map((type) => [type, { merge: true }])), // objects without ids, one in each parent
}

export function apolloClient(url, headers = {}) {
  const http = new HttpLink({ uri: url, headers })
  const options = { url: url.replace('http', 'ws'), connectionParams: headers, shouldRetry: () => true }
  const socket = new GraphQLWsLink(createClient(options))
  return new ApolloClient({
    link: ApolloLink.split(({ operationType }) => operationType === 'subscription', socket, http),
    cache: new InMemoryCache({ typePolicies }),
  })
}
