// What the types of generated documents allow, and what they do not.
import { GraphQLClient } from 'graphql-request'
import { ElementSeriesDocument, PipelineDocument } from './gql/graphql.js'
import type { CreatePipelineInput, PipelineStatus } from './gql/graphql.js'
import { createPipeline } from './typed.js'

export async function run(url: string): Promise<{ createdAt: string; status: PipelineStatus; job: unknown }> {
  const client = new GraphQLClient(url)
  const input: CreatePipelineInput = {
    projectId: 'typed',
    elements: [{ name: 'known', elementType: 'DIRECT_ENTRY', jobConfig: { values: { a: 1 } } }],
  }
  const { pipeline } = await client.request(PipelineDocument, { id: await createPipeline(client, input) })
  if (!pipeline) throw new Error('It is gone.')
  const [element] = pipeline.elements
  return { createdAt: pipeline.createdAt, status: pipeline.status, job: element?.jobConfig }
}

export async function wrong(client: GraphQLClient): Promise<void> {
  // @ts-expect-error `id` is required
  await client.request(PipelineDocument, {})
  // @ts-expect-error an id is a string
  await client.request(PipelineDocument, { id: 7 })
  // @ts-expect-error there is no such source
  await client.request(ElementSeriesDocument, { id: '', objective: '', source: 'WORST' })
  const { pipeline } = await client.request(PipelineDocument, { id: '' })
  // @ts-expect-error a pipeline that does not exist is null
  pipeline.name
  // @ts-expect-error the document does not select it
  pipeline?.userId
  // @ts-expect-error JSON is to be looked at before it is used
  pipeline?.elements[0]?.jobConfig.values
}
