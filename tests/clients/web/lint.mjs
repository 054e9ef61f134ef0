// graphql-eslint's recommended rules for operations, over `queries/`: prints what they find, a line each.
import { fileURLToPath } from 'node:url'
import plugin from '@graphql-eslint/eslint-plugin'
import { ESLint } from 'eslint'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const documents = process.argv[2] ?? 'queries/*.graphql'
const graphQLConfig = { schema: `${root}schema/schema.graphql`, documents: `${root}${documents}` }
const overrideConfig = {
  files: [documents],
  plugins: { '@graphql-eslint': plugin },
  languageOptions: { parser: plugin.parser, parserOptions: { graphQLConfig } },
  rules: plugin.configs['flat/operations-recommended'].rules,
}
const results = await new ESLint({ cwd: root, overrideConfigFile: true, overrideConfig }).lintFiles([documents])
for (const { filePath, messages } of results) {
  for (const { line, ruleId, message } of messages) console.log(filePath.slice(root.length), line, ruleId, message)
}
console.log(results.length, 'files')
