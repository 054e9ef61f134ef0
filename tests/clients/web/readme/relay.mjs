import { Environment, Network, Observable, RecordSource, Store } from 'relay-runtime'
import { createClient } from 'graphql-ws'

export function relayEnvironment(url, headers = {}) {
  const options = { url: url.replace('http', 'ws'), connectionParams: headers, shouldRetry: () => true }
  const socket = createClient(options)
  const ask = async ({ text: query }, variables) => {
    const body = JSON.stringify({ query, variables })
    const sent = { ...headers, 'content-type': 'application/json' }
    return (await fetch(url, { method: 'POST', headers: sent, body })).json()
  }
  const subscribe = ({ text: query }, variables) =>
    Observable.create((sink) => socket.subscribe({ query, variables }, sink))
  return new Environment({ network: Network.create(ask, subscribe), store: new Store(new RecordSource()) })
}
