// Holds the GraphQL server at the given address against the GraphQL over HTTP specification, and prints each verdict.
import { serverAudits } from 'graphql-http'

const [url] = process.argv.slice(2)
const verdicts = []
for (const audit of serverAudits({ url })) {
  const { id, name, status, reason } = await audit.fn()
  verdicts.push({ id, name, status, reason })
}
console.log(JSON.stringify(verdicts))
