import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { relayStylePagination } from '@apollo/client/utilities'
import { createClient } from 'graphql-ws'

export function apolloClient(url, headers = {}) {
  const http = new HttpLink({ uri: url, headers })
  const socket = new GraphQLWsLink(createClient({ url: url.replace('http', 'ws'), connectionParams: headers }))
  const pipelines = relayStylePagination(['filter', 'orderBy']) // select `edges`: it puts those together, not `nodes`
  return new ApolloClient({
    link: ApolloLink.split(({ operationType }) => operationType === 'subscription', socket, http),
    cache: new InMemoryCache({ typePolicies: { Query: { fields: { pipelines } } } }),
  })
}
