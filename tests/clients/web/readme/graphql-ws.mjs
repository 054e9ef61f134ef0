import { createClient } from 'graphql-ws'

export function socketClient(url, headers = {}, more = {}) {
  const options = { url: url.replace('http', 'ws'), connectionParams: headers, shouldRetry: () => true }
  return createClient({ ...options, ...more })
}

export async function watch(client, query, variables, tell) {
  for await (const { data, errors } of client.iterate({ query, variables })) {
    if (errors) throw new Error(errors[0].message)
    tell(data)
  }
}
