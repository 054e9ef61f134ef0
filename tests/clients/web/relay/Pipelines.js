import { graphql } from 'relay-runtime'

export const page = graphql`
  fragment Pipelines_page on Query
  @argumentDefinitions(
    filter: { type: "PipelineFilter" }
    first: { type: "Int", defaultValue: 3 }
    after: { type: "String" }
  )
  @refetchable(queryName: "PipelinesPageQuery") {
    pipelines(filter: $filter, orderBy: { field: NAME, direction: ASC }, first: $first, after: $after)
      @connection(key: "Pipelines_pipelines", filters: ["filter"]) {
      edges { node { id name } }
    }
  }
`

export const pipeline = graphql`
  fragment Pipelines_pipeline on Pipeline @refetchable(queryName: "PipelinesPipelineQuery") {
    name
    status
    elements { name status }
  }
`

export const all = graphql`
  query PipelinesQuery($filter: PipelineFilter) { ...Pipelines_page @arguments(filter: $filter) }
`

export const one = graphql`query PipelinesOneQuery($id: ID!) { pipeline(id: $id) { id ...Pipelines_pipeline } }`

export const create = graphql`
  mutation PipelinesCreateMutation($input: CreatePipelineInput!, $connections: [ID!]!) {
    createPipeline(input: $input) {
      pipeline @prependNode(connections: $connections, edgeTypeName: "PipelineEdge") { id name ...Pipelines_pipeline }
      userErrors { code message field }
    }
  }
`

export const update = graphql`
  mutation PipelinesUpdateMutation($id: ID!, $input: UpdatePipelineInput!) {
    updatePipeline(id: $id, input: $input) {
      pipeline { id ...Pipelines_pipeline }
      userErrors { code message field }
    }
  }
`

export const remove = graphql`
  mutation PipelinesDeleteMutation($id: ID!, $connections: [ID!]!) {
    deletePipeline(id: $id) {
      deletedPipelineId @deleteEdge(connections: $connections)
      userErrors { code message field }
    }
  }
`

export const updated = graphql`
  subscription PipelinesSubscription($id: ID!) {
    pipelineUpdated(id: $id) { id ...Pipelines_pipeline }
  }
`

export const wrong = graphql`query PipelinesWrongQuery { pipelines(first: 0) { totalCount } }`
