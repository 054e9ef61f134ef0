// graphql-jit over Bun's own HTTP server, with every compiled query kept: the least that there can be around it.
const { parse, validate } = require('graphql');
const { makeExecutableSchema } = require('@graphql-tools/schema');
const { compileQuery } = require('graphql-jit');
const { typeDefs, resolvers, context, listening } = require('./api');

const schema = makeExecutableSchema({ typeDefs, resolvers });
const compiled = new Map();

const compile = (query) => {
  const document = parse(query);
  const errors = validate(schema, document);
  return errors.length ? { query: () => ({ errors }) } : compileQuery(schema, document);
};

const answer = async ({ query, variables }) => {
  let run = compiled.get(query);
  if (!run) compiled.set(query, (run = compile(query)));
  const result = await run.query({}, context(), variables);
  return run.stringify ? run.stringify(result) : JSON.stringify(result);
};

const headers = { 'content-type': 'application/json' };
const fetch = async (request) => new Response(await answer(await request.json()), { headers });
const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch });
listening(null, `http://127.0.0.1:${server.port}`);
