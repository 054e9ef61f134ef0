import { GraphQLClient } from 'graphql-request'
import { CreatePipelineDocument, type CreatePipelineInput } from './gql/graphql.js'

export async function createPipeline(client: GraphQLClient, input: CreatePipelineInput): Promise<string> {
  const { createPipeline } = await client.request(CreatePipelineDocument, { input })
  if (createPipeline.pipeline) return createPipeline.pipeline.id
  throw new Error(createPipeline.userErrors.map(({ message }) => message).join(' '))
}
