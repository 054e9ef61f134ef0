import { GraphQLClient } from 'graphql-request'

export function requestClient(url, headers = {}) {
  return new GraphQLClient(url, { headers })
}

export async function createPipeline(client, document, input) {
  const { createPipeline } = await client.request(document, { input })
  if (createPipeline.userErrors.length) throw new Error(createPipeline.userErrors.map((e) => e.message).join(' '))
  return createPipeline.pipeline
}
