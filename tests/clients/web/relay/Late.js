import { graphql } from 'relay-runtime'

export const late = graphql`
  query LateQuery($id: ID!) { pipeline(id: $id) { id ...Late_pipeline @defer(label: "late") } }
`

export const pipeline = graphql`fragment Late_pipeline on Pipeline { status }`
