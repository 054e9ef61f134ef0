import { createClient } from 'graphql-sse'

export function eventClient(url, headers = {}, more = {}) {
  return createClient({ url, headers, ...more })
}

export async function watch(client, query, variables, tell) {
  for await (const { data, errors } of client.iterate({ query, variables })) {
    if (errors) throw new Error(errors[0].message)
    tell(data)
  }
}
