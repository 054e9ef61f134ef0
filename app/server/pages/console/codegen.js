// Types of the operations, from the server's schema. A changed schema fails the build where a screen no longer fits it.
export default {
  schema: '../../../../schema/schema.graphql',
  documents: 'operations/*.graphql',
  ignoreNoDocuments: false,
  generates: {
    'src/generated/operations.ts': {
      plugins: ['typescript-operations', 'typed-document-node'],
      config: {
        documentMode: 'graphQLTag', // texts instead of syntax trees: fewer bytes
        gqlImport: '@urql/core#gql',
        useTypeImports: true,
        enumsAsTypes: true,
        skipTypename: true,
        defaultScalarType: 'unknown',
        scalars: { ID: 'string', DateTime: 'string', JSON: { input: 'unknown', output: 'any' } },
      },
    },
  },
};
